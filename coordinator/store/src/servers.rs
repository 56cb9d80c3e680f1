//! Servers of a team, the identity that each pinned at enrollment, and which projects they serve.
//!
//! Rule: the pinned key is written at enrollment only; a revoked server keeps its row and never gets another key.

use hydron_domain::server::{AgentFacts, ServerState, SessionClaim};
use hydron_proto::ids::{ProjectId, ServerId, TeamId};

use crate::column::{Json, Text};
use crate::{Result, StoreError, SystemStore, SystemTx, TeamStore, TeamTx};

/// A server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Server {
    /// Its team.
    pub team: TeamId,
    /// Id.
    pub id: ServerId,
    /// What a person called it.
    pub name: String,
    /// Where it stands.
    pub state: ServerState,
    /// Milliseconds since 1970.
    pub created_at: i64,
    /// When its key was pinned.
    pub enrolled_at: Option<i64>,
    /// When it was taken out.
    pub revoked_at: Option<i64>,
    /// When its agent last spoke, kept to about half a minute.
    pub last_seen_at: Option<i64>,
    /// Hex SHA-256 of the pinned public key info.
    pub public_key: Option<String>,
    /// Where secrets are sealed to.
    pub sealing_key: Option<Vec<u8>>,
    /// Version of its agent.
    pub agent_version: String,
    /// What the agent reports.
    pub facts: AgentFacts,
    /// The last connection that was admitted.
    pub last_session: SessionClaim,
    /// Grows with every admitted connection.
    pub connection_epoch: i64,
}

const COLUMNS: &str = "team_id, id, name, state, created_at, enrolled_at, revoked_at, last_seen_at, public_key, \
                       sealing_key, agent_version, facts, boot_id, session_counter, connection_epoch";

#[derive(sqlx::FromRow)]
struct Row {
    team_id: Text<TeamId>,
    id: Text<ServerId>,
    name: String,
    state: Text<ServerState>,
    created_at: i64,
    enrolled_at: Option<i64>,
    revoked_at: Option<i64>,
    last_seen_at: Option<i64>,
    public_key: Option<String>,
    sealing_key: Option<Vec<u8>>,
    agent_version: String,
    facts: Json<AgentFacts>,
    boot_id: String,
    session_counter: i64,
    connection_epoch: i64,
}

impl From<Row> for Server {
    fn from(row: Row) -> Self {
        Self {
            team: row.team_id.0,
            id: row.id.0,
            name: row.name,
            state: row.state.0,
            created_at: row.created_at,
            enrolled_at: row.enrolled_at,
            revoked_at: row.revoked_at,
            last_seen_at: row.last_seen_at,
            public_key: row.public_key,
            sealing_key: row.sealing_key,
            agent_version: row.agent_version,
            facts: row.facts.0,
            last_session: SessionClaim {
                counter: u64::try_from(row.session_counter).unwrap_or(0),
                boot_id: row.boot_id,
            },
            connection_epoch: row.connection_epoch,
        }
    }
}

/// An agent's connection, as the coordinator that holds it noted it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Connection {
    /// Whose.
    pub server: ServerId,
    /// Which coordinator.
    pub replica: String,
    /// When the agent was last heard, Unix milliseconds; noted every half minute.
    pub heard_at: Option<i64>,
}

/// A connection that its coordinator has not noted for so long has ended with that coordinator, milliseconds.
pub const HELD_FOR: i64 = 75_000;

impl Connection {
    /// Whether its coordinator still holds it, as far as can be seen.
    pub fn is_held(&self, now: i64) -> bool {
        self.heard_at.is_some_and(|at| now - at < HELD_FOR)
    }
}

type ConnectionRow = (Text<ServerId>, String, Option<i64>);

fn connection((server, replica, heard_at): ConnectionRow) -> Connection {
    Connection { server: server.0, replica, heard_at }
}

impl Server {
    /// The session to judge the next connection against; none before the first of an installation.
    pub fn previous_session(&self) -> Option<&SessionClaim> {
        (!self.last_session.boot_id.is_empty()).then_some(&self.last_session)
    }
}

impl SystemStore {
    /// The server that a client certificate names, whatever its team: this is where an agent's team comes from.
    pub async fn server_of_agent(&self, team: TeamId, id: ServerId) -> Result<Option<Server>> {
        let row: Option<Row> = self
            .q(&format!("SELECT {COLUMNS} FROM server WHERE team_id = $1 AND id = $2"))
            .bind(Text(team))
            .bind(Text(id))
            .opt()
            .await?;
        Ok(row.map(Server::from))
    }

    /// Of these servers, the ones that were revoked: their connections must go.
    pub async fn revoked_since(&self, since: i64) -> Result<Vec<ServerId>> {
        let rows: Vec<(Text<ServerId>,)> =
            self.q("SELECT id FROM server WHERE revoked_at >= $1").bind(since).all().await?;
        Ok(rows.into_iter().map(|(id,)| id.0).collect())
    }
}

impl SystemTx {
    /// Forgets the connections that nobody has noted since `since`, except those of `replica`, and says whose they were.
    pub async fn forget_connections(&mut self, replica: &str, since: i64) -> Result<Vec<(TeamId, ServerId)>> {
        let rows: Vec<(Text<TeamId>, Text<ServerId>)> = self
            .q("DELETE FROM agent_connection WHERE replica <> $1 AND EXISTS (SELECT 1 FROM server \
                WHERE server.team_id = agent_connection.team_id AND server.id = agent_connection.server_id \
                AND COALESCE(server.last_seen_at, 0) < $2) RETURNING team_id, server_id")
            .bind(replica)
            .bind(since)
            .all()
            .await?;
        Ok(rows.into_iter().map(|(team, server)| (team.0, server.0)).collect())
    }

    /// Notes that these agents spoke lately.
    pub async fn touch_servers(&mut self, servers: &[ServerId]) -> Result<()> {
        let now = self.now();
        for server in servers {
            self.q("UPDATE server SET last_seen_at = $2 WHERE id = $1")
                .bind(Text(*server))
                .bind(now)
                .exec()
                .await?;
        }
        Ok(())
    }
}

impl TeamStore {
    /// The team's servers that were not revoked, oldest first.
    pub async fn servers(&self) -> Result<Vec<Server>> {
        let rows: Vec<Row> = self
            .q(&format!(
                "SELECT {COLUMNS} FROM server WHERE team_id = $1 AND revoked_at IS NULL ORDER BY created_at, id"
            ))
            .all()
            .await?;
        Ok(rows.into_iter().map(Server::from).collect())
    }

    /// One server, revoked or not.
    pub async fn server(&self, id: ServerId) -> Result<Option<Server>> {
        let row: Option<Row> = self
            .q(&format!("SELECT {COLUMNS} FROM server WHERE team_id = $1 AND id = $2"))
            .bind(Text(id))
            .opt()
            .await?;
        Ok(row.map(Server::from))
    }

    /// The agents' connections, to whichever coordinator.
    pub async fn connections(&self) -> Result<Vec<Connection>> {
        let rows: Vec<ConnectionRow> = self
            .q("SELECT held.server_id, held.replica, server.last_seen_at FROM agent_connection AS held \
                JOIN server ON server.team_id = held.team_id AND server.id = held.server_id WHERE held.team_id = $1")
            .all()
            .await?;
        Ok(rows.into_iter().map(connection).collect())
    }

    /// Every link between a project and a server.
    pub async fn project_servers(&self) -> Result<Vec<(ProjectId, ServerId)>> {
        let rows: Vec<(Text<ProjectId>, Text<ServerId>)> = self
            .q("SELECT project_id, server_id FROM project_server WHERE team_id = $1 ORDER BY linked_at")
            .all()
            .await?;
        Ok(rows.into_iter().map(|(project, server)| (project.0, server.0)).collect())
    }
}

impl TeamTx {
    /// A server to be changed; locked until the end of this change.
    pub async fn server(&mut self, id: ServerId) -> Result<Option<Server>> {
        let row: Option<Row> = self
            .q(&format!("SELECT {COLUMNS} FROM server WHERE team_id = $1 AND id = $2"))
            .pg(" FOR UPDATE")
            .bind(Text(id))
            .opt()
            .await?;
        Ok(row.map(Server::from))
    }

    /// An agent's connection, to whichever coordinator.
    pub async fn connection(&mut self, id: ServerId) -> Result<Option<Connection>> {
        let row: Option<ConnectionRow> = self
            .q("SELECT held.server_id, held.replica, server.last_seen_at FROM agent_connection AS held \
                JOIN server ON server.team_id = held.team_id AND server.id = held.server_id \
                WHERE held.team_id = $1 AND held.server_id = $2")
            .bind(Text(id))
            .opt()
            .await?;
        Ok(row.map(connection))
    }

    /// The newest connection that any coordinator admitted; none when the server was taken out, or was never there.
    pub async fn newest_connection(&mut self, id: ServerId) -> Result<Option<u64>> {
        let row: Option<(i64,)> = self
            .q("SELECT connection_epoch FROM server WHERE team_id = $1 AND id = $2 AND revoked_at IS NULL")
            .bind(Text(id))
            .opt()
            .await?;
        Ok(row.map(|(epoch,)| u64::try_from(epoch).unwrap_or(0)))
    }

    /// Adds a server that has not enrolled yet.
    pub async fn insert_server(&mut self, id: ServerId, name: &str) -> Result<()> {
        let now = self.now();
        self.q("INSERT INTO server (team_id, id, name, state, created_at) VALUES ($1, $2, $3, $4, $5)")
            .bind(Text(id))
            .bind(name)
            .bind(Text(ServerState::Available))
            .bind(now)
            .exec()
            .await
            .map(drop)
    }

    /// Gives it another name.
    pub async fn rename_server(&mut self, id: ServerId, name: &str) -> Result<()> {
        self.q("UPDATE server SET name = $3 WHERE team_id = $1 AND id = $2")
            .bind(Text(id))
            .bind(name)
            .exec_one("server")
            .await
    }

    /// Enters a state.
    pub async fn set_server_state(&mut self, id: ServerId, state: ServerState) -> Result<()> {
        self.q("UPDATE server SET state = $3 WHERE team_id = $1 AND id = $2")
            .bind(Text(id))
            .bind(Text(state))
            .exec_one("server")
            .await
    }

    /// Pins the keys that the server made for itself; a new installation of the same server replaces the old keys.
    pub async fn enroll_server(
        &mut self,
        id: ServerId,
        public_key: &str,
        sealing_key: &[u8],
        facts: &AgentFacts,
        version: &str,
    ) -> Result<()> {
        let now = self.now();
        self.q("UPDATE server SET public_key = $3, sealing_key = $4, facts = $5, agent_version = $6, \
                enrolled_at = $7, boot_id = '', session_counter = 0 \
                WHERE team_id = $1 AND id = $2 AND revoked_at IS NULL")
            .bind(Text(id))
            .bind(public_key)
            .bind(sealing_key)
            .bind(Json(facts))
            .bind(version)
            .bind(now)
            .exec_one("server")
            .await
    }

    /// Takes the server out for good.
    pub async fn revoke_server(&mut self, id: ServerId) -> Result<()> {
        let now = self.now();
        self.q("UPDATE server SET revoked_at = $3 WHERE team_id = $1 AND id = $2 AND revoked_at IS NULL")
            .bind(Text(id))
            .bind(now)
            .exec_one("server")
            .await
    }

    /// Records an admitted connection and which coordinator holds it; returns its epoch.
    pub async fn admit_connection(
        &mut self,
        id: ServerId,
        claim: &SessionClaim,
        version: &str,
        facts: Option<&AgentFacts>,
        replica: &str,
    ) -> Result<i64> {
        let now = self.now();
        let row: Option<(i64,)> = self
            .q("UPDATE server SET boot_id = $3, session_counter = $4, agent_version = $5, last_seen_at = $6, \
                connection_epoch = connection_epoch + 1, facts = COALESCE($7, facts) \
                WHERE team_id = $1 AND id = $2 AND revoked_at IS NULL RETURNING connection_epoch")
            .bind(Text(id))
            .bind(claim.boot_id.as_str())
            .bind(i64::try_from(claim.counter).unwrap_or(i64::MAX))
            .bind(version)
            .bind(now)
            .bind(facts.map(Json))
            .opt()
            .await?;
        let (epoch,) = row.ok_or(StoreError::Stale { what: "server" })?;
        self.q("INSERT INTO agent_connection (team_id, server_id, replica, connection_epoch, since) \
                VALUES ($1, $2, $3, $4, $5) ON CONFLICT (team_id, server_id) DO UPDATE SET \
                replica = excluded.replica, connection_epoch = excluded.connection_epoch, since = excluded.since")
            .bind(Text(id))
            .bind(replica)
            .bind(epoch)
            .bind(now)
            .exec()
            .await?;
        Ok(epoch)
    }

    /// Records that a connection is gone, unless a newer one is there.
    pub async fn end_connection(&mut self, id: ServerId, epoch: i64) -> Result<()> {
        let now = self.now();
        self.q(
            "UPDATE server SET last_seen_at = $3 WHERE team_id = $1 AND id = $2 AND connection_epoch = $4",
        )
        .bind(Text(id))
        .bind(now)
        .bind(epoch)
        .exec()
        .await?;
        self.q("DELETE FROM agent_connection WHERE team_id = $1 AND server_id = $2 AND connection_epoch = $3")
            .bind(Text(id))
            .bind(epoch)
            .exec()
            .await
            .map(drop)
    }

    /// Keeps what the agent reports.
    pub async fn set_facts(&mut self, id: ServerId, facts: &AgentFacts) -> Result<()> {
        self.q("UPDATE server SET facts = $3 WHERE team_id = $1 AND id = $2")
            .bind(Text(id))
            .bind(Json(facts))
            .exec()
            .await
            .map(drop)
    }

    /// The next number of a signature for this server.
    pub async fn next_signed_sequence(&mut self, id: ServerId) -> Result<i64> {
        let row: Option<(i64,)> = self
            .q("UPDATE server SET signed_sequence = signed_sequence + 1 \
                WHERE team_id = $1 AND id = $2 AND revoked_at IS NULL RETURNING signed_sequence")
            .bind(Text(id))
            .opt()
            .await?;
        row.map(|(sequence,)| sequence).ok_or(StoreError::Stale { what: "server" })
    }

    /// Links a project to a server; again is fine.
    pub async fn link_project_server(&mut self, project: ProjectId, server: ServerId) -> Result<()> {
        let now = self.now();
        self.q(
            "INSERT INTO project_server (team_id, project_id, server_id, linked_at) VALUES ($1, $2, $3, $4) \
                ON CONFLICT (team_id, project_id, server_id) DO NOTHING",
        )
        .bind(Text(project))
        .bind(Text(server))
        .bind(now)
        .exec()
        .await
        .map(drop)
    }
}
