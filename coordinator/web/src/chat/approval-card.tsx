// Owns a decision in the chat. A plan's approval is the plan card; others show what is asked and its two answers.
import { ShieldCheck } from "lucide-react";
import { useApprovals, useDecide } from "../api/plans";
import { shortDigest, words } from "../format/format";
import { RiskBadge } from "../infrastructure/risk-badge";
import { Button } from "../ui/button";
import { ProblemNote } from "../ui/problem-note";
import { Card } from "./card";
import { PlanCard } from "./plan-card";

export function ApprovalCard({ id, project }: { id: string; project: string }) {
  const approvals = useApprovals();
  const decide = useDecide();
  if (id === "" || id.startsWith("ipl_")) return <PlanCard id={id} project={project} />;
  const approval = approvals.data?.find((one) => one.id === id);
  if (!approval) return <Card icon={ShieldCheck} title="Approval" state={<span className="text-xs text-ink-3">{approvals.isPending ? "Loading…" : "Decided"}</span>} />;
  return (
    <Card
      icon={ShieldCheck}
      title="Approval needed"
      actions={
        <>
          <Button look="primary" size="sm" busy={decide.isPending} onClick={() => { decide.mutate({ approval, approve: true }); }}>
            Approve
          </Button>
          <Button size="sm" disabled={decide.isPending} onClick={() => { decide.mutate({ approval, approve: false }); }}>
            Decline
          </Button>
        </>
      }
    >
      <p className="mb-2 flex items-center gap-2">
        {words(approval.subject_kind)} <RiskBadge risk={approval.risk} />
      </p>
      <p className="text-xs text-ink-3">
        Digest <code title={approval.digest}>{shortDigest(approval.digest)}</code>
      </p>
      {decide.isError && <ProblemNote error={decide.error} className="mt-2" />}
    </Card>
  );
}
