//! What chats are told of without being asked: readings and runs that ended, messages whose answer was cut off.
//!
//! Rule: found by state, told once by a key. Whoever looks twice, or at once with another coordinator, tells once.

use hydron_domain::analysis_run::AnalysisState;
use hydron_proto::ids::{AnalysisId, ChatId, MessageId, ProjectId, RunId, TeamId};

use crate::column::Text;
use crate::{Result, SystemStore, TeamStore, TeamTx};

/// Something that ended and that no chat was told of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Untold {
    /// Whose.
    pub team: TeamId,
    /// Of which project.
    pub project: ProjectId,
    /// What.
    pub subject: Subject,
    /// Which of its ends.
    pub mark: String,
}

/// What ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject {
    /// A reading of a repository.
    Analysis(AnalysisId, AnalysisState),
    /// A run, or it waits for a decision.
    Run(RunId),
}

/// A person's message without an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unanswered {
    /// Whose.
    pub team: TeamId,
    /// In which chat.
    pub chat: ChatId,
    /// Which.
    pub message: MessageId,
}

impl Subject {
    /// Its id as text.
    pub fn id(&self) -> String {
        match self {
            Self::Analysis(id, _) => id.to_string(),
            Self::Run(id) => id.to_string(),
        }
    }
}

/// At most so many at once; the rest is found the next time.
const BATCH: i64 = 50;

#[derive(sqlx::FromRow)]
struct AnalysisRow {
    team_id: Text<TeamId>,
    project_id: Text<ProjectId>,
    id: Text<AnalysisId>,
    state: Text<AnalysisState>,
}

#[derive(sqlx::FromRow)]
struct RunRow {
    team_id: Text<TeamId>,
    project_id: Text<ProjectId>,
    id: Text<RunId>,
    mark: String,
}

#[derive(sqlx::FromRow)]
struct MessageRow {
    team_id: Text<TeamId>,
    chat_id: Text<ChatId>,
    id: Text<MessageId>,
}

impl SystemStore {
    /// Readings and runs that ended after `since` in projects that had a chat by then, and that no chat was told of.
    /// An operation is told of only where it was asked for, and so is a reading once the project has runs (every
    /// redeploy reads again).
    pub async fn untold(&self, since: i64) -> Result<Vec<Untold>> {
        let analyses: Vec<AnalysisRow> = self
            .q("SELECT a.team_id, a.project_id, a.id, a.state FROM analysis a \
                WHERE a.finished_at > $1 AND a.state IN ('done', 'failed') \
                AND EXISTS (SELECT 1 FROM chat c WHERE c.team_id = a.team_id AND c.project_id = a.project_id \
                            AND c.created_at <= a.finished_at) \
                AND (EXISTS (SELECT 1 FROM chat_subject s WHERE s.team_id = a.team_id AND s.subject_id = a.id) \
                     OR NOT EXISTS (SELECT 1 FROM run r WHERE r.team_id = a.team_id AND r.project_id = a.project_id)) \
                AND NOT EXISTS (SELECT 1 FROM chat_notice n WHERE n.team_id = a.team_id AND n.subject_id = a.id) \
                ORDER BY a.finished_at, a.id LIMIT $2")
            .bind(since)
            .bind(BATCH)
            .all()
            .await?;
        let runs: Vec<RunRow> = self
            .q("SELECT r.team_id, r.project_id, r.id, r.state || '@' || CAST(r.changed_at AS TEXT) AS mark FROM run r \
                WHERE r.changed_at > $1 AND (r.state IN ('completed', 'failed', 'stopped') \
                                             OR (r.state = 'paused' AND r.note = 'needs_decision')) \
                AND EXISTS (SELECT 1 FROM chat c WHERE c.team_id = r.team_id AND c.project_id = r.project_id \
                            AND c.created_at <= r.changed_at) \
                AND (r.kind <> 'operation' OR EXISTS (SELECT 1 FROM chat_subject s WHERE s.team_id = r.team_id \
                                                      AND s.subject_id = r.id)) \
                AND NOT EXISTS (SELECT 1 FROM chat_notice n WHERE n.team_id = r.team_id AND n.subject_id = r.id \
                                AND n.mark = r.state || '@' || CAST(r.changed_at AS TEXT)) \
                ORDER BY r.changed_at, r.id LIMIT $2")
            .bind(since)
            .bind(BATCH)
            .all()
            .await?;
        let analyses = analyses.into_iter().map(|row| Untold {
            team: row.team_id.0,
            project: row.project_id.0,
            subject: Subject::Analysis(row.id.0, row.state.0),
            mark: row.state.0.to_string(),
        });
        let runs = runs.into_iter().map(|row| Untold {
            team: row.team_id.0,
            project: row.project_id.0,
            subject: Subject::Run(row.id.0),
            mark: row.mark,
        });
        Ok(analyses.chain(runs).collect())
    }

    /// Messages of people, sent between `after` and `before`, that are the last of their chat.
    pub async fn unanswered(&self, after: i64, before: i64) -> Result<Vec<Unanswered>> {
        let rows: Vec<MessageRow> = self
            .q("SELECT m.team_id, m.chat_id, m.id FROM message m \
                JOIN chat c ON c.team_id = m.team_id AND c.id = m.chat_id AND c.message_seq = m.seq \
                WHERE m.at > $1 AND m.at <= $2 AND m.role = 'user' ORDER BY m.at, m.id LIMIT $3")
            .bind(after)
            .bind(before)
            .bind(BATCH)
            .all()
            .await?;
        let unanswered =
            |row: MessageRow| Unanswered { team: row.team_id.0, chat: row.chat_id.0, message: row.id.0 };
        Ok(rows.into_iter().map(unanswered).collect())
    }
}

impl TeamStore {
    /// Where to tell of a subject: the chat that asked for it last, or else the project's latest.
    pub async fn chat_to_tell(&self, project: ProjectId, subject: &str) -> Result<Option<ChatId>> {
        let asked: Option<(Text<ChatId>,)> = self
            .q("SELECT chat_id FROM chat_subject WHERE team_id = $1 AND subject_id = $2 \
                ORDER BY since DESC, chat_id DESC LIMIT 1")
            .bind(subject)
            .opt()
            .await?;
        if let Some((chat,)) = asked {
            return Ok(Some(chat.0));
        }
        let latest: Option<(Text<ChatId>,)> = self
            .q("SELECT c.id FROM chat c WHERE c.team_id = $1 AND c.project_id = $2 ORDER BY COALESCE( \
                (SELECT MAX(m.at) FROM message m WHERE m.team_id = c.team_id AND m.chat_id = c.id), c.created_at) DESC, \
                c.id DESC LIMIT 1")
            .bind(Text(project))
            .opt()
            .await?;
        Ok(latest.map(|(chat,)| chat.0))
    }
}

impl TeamTx {
    /// Remembers that a chat shows a subject.
    pub async fn show_in_chat(&mut self, chat: ChatId, subject: &str) -> Result<()> {
        let now = self.now();
        self.q("INSERT INTO chat_subject (team_id, subject_id, chat_id, since) VALUES ($1, $2, $3, $4) \
                ON CONFLICT (team_id, subject_id, chat_id) DO UPDATE SET since = excluded.since")
            .bind(subject)
            .bind(Text(chat))
            .bind(now)
            .exec()
            .await
            .map(drop)
    }

    /// Claims the telling of an end; false if it was told already.
    pub async fn claim_notice(&mut self, chat: ChatId, subject: &str, mark: &str) -> Result<bool> {
        let now = self.now();
        let claimed = self
            .q("INSERT INTO chat_notice (team_id, subject_id, mark, chat_id, at) VALUES ($1, $2, $3, $4, $5) \
                ON CONFLICT DO NOTHING")
            .bind(subject)
            .bind(mark)
            .bind(Text(chat))
            .bind(now)
            .exec()
            .await?;
        Ok(claimed > 0)
    }
}
