//! Messages that nobody asked for: a reading or a run that a chat waits for has ended; an answer was cut off.
//!
//! Rule: found by what is stored, told once by the store's key, so that restarts and other coordinators change nothing.
//! Wakeups only make it sooner.

use std::time::Duration;

use hydron_domain::analysis::{AnalysisChange, ChangeKind};
use hydron_domain::analysis_run::AnalysisState;
use hydron_domain::chat::{Card, CardKind, Speaker};
use hydron_domain::identity::{Actor, Role};
use hydron_domain::run::RunState;
use hydron_proto::ids::{AnalysisId, MessageId, ProjectId, RunId, TeamId};
use hydron_store::chat_notices::{Subject, Unanswered, Untold};
use hydron_store::{StoreError, Topic};
use tokio::sync::broadcast::error::RecvError;

use super::brain::Reply;
use super::tools::situation;
use crate::app::AppState;
use crate::http::problem::{Problem, chain};
use crate::services::chats::{self, Said};
use crate::services::principal::{Credential, Principal};
use crate::services::{analyses, runs};

/// What ended longer ago is not told any more, milliseconds.
const TOLD_WITHIN_MS: i64 = 24 * 60 * 60 * 1000;
/// A message without an answer for so long was cut off (the longest work inside a turn is one fetch), milliseconds.
const CUT_OFF_AFTER_MS: i64 = 3 * 60 * 1000;
/// Wakeups come in crowds; one look is enough for all of them.
const GATHER: Duration = Duration::from_millis(200);
/// A wakeup may be lost.
const LOOK_ANYWAY: Duration = Duration::from_secs(10);

/// Why a message was not added.
#[derive(Debug, thiserror::Error)]
enum FollowUpError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("{}", .0.detail)]
    Problem(Problem),
}

impl From<Problem> for FollowUpError {
    fn from(problem: Problem) -> Self {
        Self::Problem(problem)
    }
}

/// Runs until the coordinator stops.
pub async fn run(app: AppState) {
    let mut wakeups = app.store.wakeups();
    while !app.stopping.is_cancelled() {
        if let Err(error) = look(&app).await {
            tracing::warn!(error = %chain(&error), "telling chats what ended failed; trying again later");
        }
        let wait = async {
            loop {
                match wakeups.recv().await {
                    Ok(wake) if wake.topic == Topic::Events => break,
                    Ok(_) => {}
                    Err(RecvError::Lagged(_)) => break,
                    Err(RecvError::Closed) => std::future::pending().await,
                }
            }
            tokio::time::sleep(GATHER).await;
        };
        tokio::select! {
            () = app.stopping.cancelled() => {}
            _ = tokio::time::timeout(LOOK_ANYWAY, wait) => {}
        }
    }
}

async fn look(app: &AppState) -> Result<(), FollowUpError> {
    let now = app.now();
    for untold in app.store.system().untold(now - TOLD_WITHIN_MS).await? {
        let subject = untold.subject.id();
        if let Err(error) = tell(app, untold).await {
            tracing::warn!(subject, error = %chain(&error), "the end of {subject} was not told; trying again later");
        }
    }
    for unanswered in app.store.system().unanswered(now - TOLD_WITHIN_MS, now - CUT_OFF_AFTER_MS).await? {
        apologise(app, unanswered).await?;
    }
    Ok(())
}

/// Tells the chat that waits for it, if nobody else did in the meantime.
async fn tell(app: &AppState, untold: Untold) -> Result<(), FollowUpError> {
    let Untold { team, project, subject, mark } = untold;
    let me = assistant(team);
    let rows = app.store.team(team);
    let Some(chat) = rows.chat_to_tell(project, &subject.id()).await? else { return Ok(()) };
    let mut reply = Reply::new(app.ids.next(MessageId::new));
    match subject {
        Subject::Analysis(id, state) => reading_ended(app, &me, id, state, project, &mut reply).await?,
        Subject::Run(id) => run_ended(app, &me, id, &mut reply).await?,
    }
    let next = situation(app, &me, project).await?.next_steps();
    reply.say(&next.advice);
    let said = Said { id: reply.id, text: reply.text, cards: reply.cards, suggestions: next.sentences };
    let mut tx = rows.begin(&me.actor, app.now()).await?;
    if !tx.claim_notice(chat, &subject.id(), &mark).await? {
        return Ok(());
    }
    let Some(chat) = tx.chat(chat).await? else { return Ok(()) };
    chats::add(&mut tx, &chat, Speaker::Assistant, said).await?;
    Ok(tx.commit().await?)
}

async fn reading_ended(
    app: &AppState,
    me: &Principal,
    id: AnalysisId,
    state: AnalysisState,
    project: ProjectId,
    reply: &mut Reply,
) -> Result<(), FollowUpError> {
    let reading = analyses::get(app, me, id).await.map_err(Problem::from)?;
    if let Some(error) = reading.run.error.filter(|_| state == AnalysisState::Failed) {
        reply.say("The repository could not be read.");
        let data = serde_json::json!({ "code": error.code, "detail": error.message, "field": error.field });
        reply.show(Card::new(CardKind::Error, &error.code).with(data));
        return Ok(());
    }
    let found = reading.result.map_or(0, |result| result.services.len());
    reply.say(&match found {
        0 => "I read the repository and found nothing that I can deploy.".to_owned(),
        1 => "I read the repository and found one service.".to_owned(),
        more => format!("I read the repository and found {more} services."),
    });
    if let Some(changes) = &reading.changes {
        reply.say(&differences(changes));
    }
    reply.show(Card::new(CardKind::Services, project));
    Ok(())
}

/// One sentence about what is new since the reading before. Values come from the repository and stand in the card.
fn differences(changes: &[AnalysisChange]) -> String {
    if changes.is_empty() {
        return "Nothing changed since I last read it.".to_owned();
    }
    let count = |kind| changes.iter().filter(|c| c.change == kind).count();
    let kept = changes.iter().filter(|c| c.kept).count();
    let told = [
        (count(ChangeKind::Added), "new service", "new services"),
        (count(ChangeKind::Removed), "service gone", "services gone"),
        (count(ChangeKind::Changed), "field changed", "fields changed"),
        (kept, "of them set by you, which stays", "of them set by you, which stay"),
    ];
    let words = |(n, one, many)| format!("{n} {}", if n == 1 { one } else { many });
    let parts: Vec<String> = told.into_iter().filter(|told| told.0 > 0).map(words).collect();
    format!("Since I last read it: {}.", parts.join(", "))
}

async fn run_ended(
    app: &AppState,
    me: &Principal,
    id: RunId,
    reply: &mut Reply,
) -> Result<(), FollowUpError> {
    let run = runs::view::get(app, me, id).await.map_err(Problem::from)?.run;
    let title = &run.title;
    let told = match &run.head.state {
        // Where it is live is said with what can be done next.
        RunState::Completed => format!("**{title}**: done."),
        // The failure's text comes from a server and stands in the card, as text.
        RunState::Failed(failure) => {
            format!("**{title}** failed (`{}`). What ran before still runs.", failure.code)
        }
        RunState::Stopped => format!("**{title}** was stopped."),
        RunState::Paused => format!(
            "**{title}** waits for you: how a step ended cannot be known. Look at it and choose on its card."
        ),
        RunState::Started | RunState::InProgress => format!("**{title}** goes on."),
    };
    reply.say(&told);
    reply.show(Card::new(CardKind::Run, id));
    Ok(())
}

/// The coordinator stopped between a message and its answer.
async fn apologise(app: &AppState, unanswered: Unanswered) -> Result<(), FollowUpError> {
    let Unanswered { team, chat, message } = unanswered;
    let me = assistant(team);
    let mut tx = app.store.team(team).begin(&me.actor, app.now()).await?;
    if !tx.claim_notice(chat, &message.to_string(), "cut off").await? {
        return Ok(());
    }
    let Some(chat) = tx.chat(chat).await? else { return Ok(()) };
    let said = Said {
        id: app.ids.next(MessageId::new),
        text: "I was interrupted before I could answer. Look at where things stand before you say it again: \
               it may have been done."
            .to_owned(),
        cards: Vec::new(),
        suggestions: vec!["status".to_owned()],
    };
    chats::add(&mut tx, &chat, Speaker::Assistant, said).await?;
    Ok(tx.commit().await?)
}

/// Reads what a viewer may read, in the assistant's own name.
fn assistant(team: TeamId) -> Principal {
    Principal {
        actor: Actor::System { name: "assistant" },
        credential: Credential::Console,
        team,
        role: Role::Viewer,
    }
}
