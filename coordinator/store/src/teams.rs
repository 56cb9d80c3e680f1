//! Teams and who belongs to them.
//!
//! Rule: a membership is the only way from a person to a team's rows.

use hydron_domain::identity::Role;
use hydron_proto::ids::{TeamId, UserId};

use crate::column::Text;
use crate::{Result, SystemStore, SystemTx, TeamStore, TeamTx};

/// A team.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Team {
    /// Id.
    pub id: TeamId,
    /// What people call it.
    pub name: String,
    /// Milliseconds since 1970.
    pub created_at: i64,
}

/// A team of a person, and what the person may do there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Membership {
    /// The team.
    pub team: Team,
    /// The person's role.
    pub role: Role,
}

/// A person of a team.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Who.
    pub user: UserId,
    /// The person's name.
    pub name: String,
    /// The person's address.
    pub email: String,
    /// What the person may do here.
    pub role: Role,
    /// Milliseconds since 1970.
    pub joined_at: i64,
}

#[derive(sqlx::FromRow)]
struct TeamRow {
    id: Text<TeamId>,
    name: String,
    created_at: i64,
}

impl From<TeamRow> for Team {
    fn from(row: TeamRow) -> Self {
        Self { id: row.id.0, name: row.name, created_at: row.created_at }
    }
}

#[derive(sqlx::FromRow)]
struct MembershipRow {
    #[sqlx(flatten)]
    team: TeamRow,
    role: Text<Role>,
}

#[derive(sqlx::FromRow)]
struct MemberRow {
    user_id: Text<UserId>,
    name: String,
    email: String,
    role: Text<Role>,
    joined_at: i64,
}

impl SystemStore {
    /// The teams of a person, oldest membership first.
    pub async fn memberships(&self, user: UserId) -> Result<Vec<Membership>> {
        let rows: Vec<MembershipRow> = self
            .q("SELECT t.id, t.name, t.created_at, m.role FROM member m JOIN team t ON t.id = m.team_id \
                WHERE m.user_id = $1 ORDER BY m.joined_at, t.id")
            .bind(Text(user))
            .all()
            .await?;
        Ok(rows.into_iter().map(|row| Membership { team: row.team.into(), role: row.role.0 }).collect())
    }

    /// Every team, for administration on the machine itself.
    pub async fn teams(&self) -> Result<Vec<Team>> {
        let rows: Vec<TeamRow> =
            self.q("SELECT id, name, created_at FROM team ORDER BY created_at, id").all().await?;
        Ok(rows.into_iter().map(Team::from).collect())
    }
}

impl SystemTx {
    /// Adds a team.
    pub async fn insert_team(&mut self, team: &Team) -> Result<()> {
        self.q("INSERT INTO team (id, name, created_at) VALUES ($1, $2, $3)")
            .bind(Text(team.id))
            .bind(team.name.as_str())
            .bind(team.created_at)
            .exec()
            .await
            .map(drop)
    }

    /// Adds a person to a team.
    pub async fn insert_member(&mut self, team: TeamId, user: UserId, role: Role) -> Result<()> {
        let now = self.now();
        self.q("INSERT INTO member (team_id, user_id, role, joined_at) VALUES ($1, $2, $3, $4)")
            .bind(Text(team))
            .bind(Text(user))
            .bind(Text(role))
            .bind(now)
            .exec()
            .await
            .map(drop)
    }
}

impl TeamStore {
    /// The team itself.
    pub async fn team(&self) -> Result<Option<Team>> {
        let row: Option<TeamRow> =
            self.q("SELECT id, name, created_at FROM team WHERE id = $1").opt().await?;
        Ok(row.map(Team::from))
    }

    /// Who belongs to it, oldest membership first.
    pub async fn members(&self) -> Result<Vec<Member>> {
        let rows: Vec<MemberRow> = self
            .q("SELECT m.user_id, u.name, u.email, m.role, m.joined_at \
                FROM member m JOIN app_user u ON u.id = m.user_id \
                WHERE m.team_id = $1 ORDER BY m.joined_at, m.user_id")
            .all()
            .await?;
        Ok(rows
            .into_iter()
            .map(|row| Member {
                user: row.user_id.0,
                name: row.name,
                email: row.email,
                role: row.role.0,
                joined_at: row.joined_at,
            })
            .collect())
    }
}

impl TeamTx {
    /// Renames the team.
    pub async fn rename_team(&mut self, name: &str) -> Result<()> {
        self.q("UPDATE team SET name = $2 WHERE id = $1").bind(name).exec_one("team").await
    }
}
