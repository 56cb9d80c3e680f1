//! `hydron admin …`: what only somebody on the coordinator's own machine may do. Works beside a running coordinator.

use std::sync::Arc;

use anyhow::{Context as _, bail};
use clap::Subcommand;
use hydron_domain::identity::{Actor, Role};
use hydron_proto::ids::TeamId;
use hydron_store::Store;
use hydron_store::teams::Team;

use super::{Common, say};
use crate::app::AppState;
use crate::clock::{SystemClock, SystemEntropy};
use crate::services::input::display_name;
use crate::services::principal::{Credential, Principal};
use crate::services::tokens::{self, NewToken};

/// What to administer.
#[derive(Debug, clap::Args)]
pub struct Admin {
    #[command(subcommand)]
    command: AdminCommand,
}

#[derive(Debug, Subcommand)]
enum AdminCommand {
    /// Make an API token for a team and print it
    CreateToken {
        /// The team's name or id
        #[arg(long)]
        team: String,
        /// viewer, developer, admin or owner
        #[arg(long, default_value = "developer")]
        role: Role,
        /// What the token is called
        #[arg(long, default_value = "made on the command line")]
        name: String,
        /// How many days it lives
        #[arg(long, default_value_t = 90)]
        expires_in_days: u32,
        /// Make the team if there is none of that name
        #[arg(long)]
        create_team: bool,
        #[command(flatten)]
        common: Common,
    },
    /// List teams
    ListTeams {
        #[command(flatten)]
        common: Common,
    },
}

/// Runs an administration command.
pub async fn run(admin: Admin) -> anyhow::Result<()> {
    match admin.command {
        AdminCommand::CreateToken { team, role, name, expires_in_days, create_team, common } => {
            let app = open(common).await?;
            let team = find_team(&app, &team, create_team).await?;
            let new = NewToken { name, role: Some(role), expires_in_days: Some(expires_in_days) };
            let (_, text) = tokens::create(&app, &console(team), new).await?;
            app.store.close().await;
            say(text.reveal())
        }
        AdminCommand::ListTeams { common } => {
            let app = open(common).await?;
            for team in app.store.system().teams().await? {
                say(&format!("{}  {}", team.id, team.name))?;
            }
            app.store.close().await;
            Ok(())
        }
    }
}

async fn open(common: Common) -> anyhow::Result<AppState> {
    let config = common.load()?;
    let store = Store::open_beside(&config.database).await?;
    store.migrate().await?;
    Ok(AppState::build(config, store, Arc::new(SystemClock), Arc::new(SystemEntropy))?)
}

async fn find_team(app: &AppState, text: &str, create: bool) -> anyhow::Result<TeamId> {
    let teams = app.store.system().teams().await?;
    let mut found = teams.iter().filter(|team| team.name == text || team.id.to_string() == text);
    match (found.next(), found.next()) {
        (Some(team), None) => Ok(team.id),
        (Some(_), Some(_)) => {
            bail!("several teams are called {text:?}; name one by its id (hydron admin list-teams)")
        }
        (None, _) if create => {
            let team = Team {
                id: app.ids.next(TeamId::new),
                name: display_name("--team", text)?,
                created_at: app.now(),
            };
            let mut tx = app.store.system().begin(app.now()).await?;
            tx.insert_team(&team).await.context("making the team")?;
            tx.commit().await?;
            Ok(team.id)
        }
        (None, _) => {
            bail!("there is no team {text:?}; add --create-team to make it, or see hydron admin list-teams")
        }
    }
}

/// Whoever can read the database's files is its owner.
fn console(team: TeamId) -> Principal {
    let actor = Actor::System { name: "hydron admin" };
    Principal { actor, credential: Credential::Console, team, role: Role::Owner }
}
