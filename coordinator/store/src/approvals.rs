//! Approvals: questions to people, and their answers.
//!
//! Rule: decided once, in the state and with the digest that were asked about.

use hydron_domain::approval::{Approval, ApprovalState, ApprovalSubject};
use hydron_domain::identity::UnknownName;
use hydron_proto::envelope::PlanDigest;
use hydron_proto::ids::{ApprovalId, ProjectId};
use hydron_proto::plan::Risk;

use crate::column::Text;
use crate::reading::on_both;
use crate::{Result, StoreError, TeamTx};

const SELECT: &str = "SELECT id, project_id, subject_kind, subject_id, digest, risk, state, requested_at, decided_at, \
     decided_by FROM approval WHERE team_id = $1";

#[derive(sqlx::FromRow)]
struct Row {
    id: Text<ApprovalId>,
    project_id: Text<ProjectId>,
    subject_kind: String,
    subject_id: String,
    digest: String,
    risk: String,
    state: Text<ApprovalState>,
    requested_at: i64,
    decided_at: Option<i64>,
    decided_by: Option<String>,
}

impl TryFrom<Row> for Approval {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self> {
        let corrupt = |what: &'static str| {
            let unknown = UnknownName { what, text: row.id.0.to_string(), expected: "a stored approval" };
            StoreError::Corrupt(sqlx::Error::Decode(Box::new(unknown)))
        };
        let subject = match row.subject_kind.as_str() {
            "infrastructure_plan" => row.subject_id.parse().map(ApprovalSubject::Infrastructure).ok(),
            "provisioning_plan" => row.subject_id.parse().map(ApprovalSubject::Provisioning).ok(),
            _ => None,
        };
        Ok(Self {
            id: row.id.0,
            project: row.project_id.0,
            subject: subject.ok_or_else(|| corrupt("subject"))?,
            digest: PlanDigest::parse(&row.digest).ok_or_else(|| corrupt("digest"))?,
            risk: parse_risk(&row.risk).ok_or_else(|| corrupt("risk"))?,
            state: row.state.0,
            requested_at: row.requested_at,
            decided_at: row.decided_at,
            decided_by: row.decided_by,
        })
    }
}

on_both! {
    /// An approval, if the team has it.
    async fn approval(this, id: ApprovalId) -> Result<Option<Approval>> {
        let row: Option<Row> = this.q(SELECT).sql(" AND id = $2").bind(Text(id)).opt().await?;
        row.map(Approval::try_from).transpose()
    }

    /// The approval of a subject that counts: there is at most one that is approved or pending; else the newest.
    async fn approval_of(this, subject: ApprovalSubject) -> Result<Option<Approval>> {
        let row: Option<Row> = this
            .q(SELECT)
            .sql(
                " AND subject_id = $2 ORDER BY CASE state WHEN 'approved' THEN 0 WHEN 'pending' THEN 1 ELSE 2 END, \
                 requested_at DESC, id DESC LIMIT 1",
            )
            .bind(subject.id())
            .opt()
            .await?;
        row.map(Approval::try_from).transpose()
    }

    /// Approvals in a state, oldest first.
    async fn approvals(this, state: ApprovalState, limit: i64) -> Result<Vec<Approval>> {
        let rows: Vec<Row> = this
            .q(SELECT)
            .sql(" AND state = $2 ORDER BY requested_at, id LIMIT $3")
            .bind(Text(state))
            .bind(limit)
            .all()
            .await?;
        rows.into_iter().map(Approval::try_from).collect()
    }
}

impl TeamTx {
    /// Asks.
    pub async fn insert_approval(&mut self, approval: &Approval) -> Result<()> {
        self.q(
            "INSERT INTO approval (team_id, id, project_id, subject_kind, subject_id, digest, risk, state, \
                requested_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        )
        .bind(Text(approval.id))
        .bind(Text(approval.project))
        .bind(approval.subject.kind())
        .bind(approval.subject.id())
        .bind(Text(approval.digest))
        .bind(risk_text(approval.risk))
        .bind(Text(approval.state))
        .bind(approval.requested_at)
        .exec()
        .await
        .map(drop)
    }

    /// Decides a pending approval.
    pub async fn decide_approval(&mut self, id: ApprovalId, state: ApprovalState) -> Result<()> {
        let now = self.now();
        let by = self.actor().name();
        self.q("UPDATE approval SET state = $3, decided_at = $4, decided_by = $5 \
                WHERE team_id = $1 AND id = $2 AND state = 'pending'")
            .bind(Text(id))
            .bind(Text(state))
            .bind(now)
            .bind(by)
            .exec_one("approval")
            .await
    }

    /// Voids what was asked or answered about a subject: it is not what people saw any more.
    pub async fn void_approvals(&mut self, subject: ApprovalSubject) -> Result<()> {
        self.q("UPDATE approval SET state = 'expired' \
                WHERE team_id = $1 AND subject_id = $2 AND state IN ('pending', 'approved')")
            .bind(subject.id())
            .exec()
            .await
            .map(drop)
    }
}

fn risk_text(risk: Risk) -> &'static str {
    match risk {
        Risk::R0 => "r0",
        Risk::R1 => "r1",
        Risk::R2 => "r2",
        Risk::R3 => "r3",
        Risk::R4 => "r4",
    }
}

fn parse_risk(text: &str) -> Option<Risk> {
    [Risk::R0, Risk::R1, Risk::R2, Risk::R3, Risk::R4].into_iter().find(|risk| risk_text(*risk) == text)
}
