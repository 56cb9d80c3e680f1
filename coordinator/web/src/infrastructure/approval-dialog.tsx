// Owns the moment of approval. What is listed here is what was loaded when it opened, and its digests are what is sent:
// if the plan changed meanwhile the server refuses, and this says so.
import { ShieldCheck } from "lucide-react";
import type { ReactNode } from "react";
import { useNavigate } from "react-router";
import { type Seen, useApprovePlan } from "../api/plans";
import { list, plural, risk, seconds } from "../format/format";
import { usePlaces } from "../project/places";
import { after } from "../ui/after";
import { Button } from "../ui/button";
import { Dialog } from "../ui/dialog";
import { ProblemNote } from "../ui/problem-note";
import { say } from "../ui/toast";
import { approveWords } from "./approve-button";
import { ApprovalSteps } from "./approval-steps";
import { totalDowntime, stepCount } from "./measure";
import { Warnings } from "./warnings";

interface ApprovalDialogProps {
  seen: Seen;
  project: string;
  onClose: () => void;
}

export function ApprovalDialog({ seen, project, onClose }: ApprovalDialogProps) {
  const approve = useApprovePlan(project);
  const navigate = useNavigate();
  const place = usePlaces(project);
  const steps = stepCount(seen.provisioning);
  const downtime = totalDowntime(seen.plan);
  const generated = seen.provisioning.flatMap((one) => one.secrets.filter((secret) => secret.generated));
  const start = () => {
    after(approve.mutateAsync(seen), ({ run }) => {
      onClose();
      say(run ? "Approved. The run has started." : "Approved.");
      if (run) void navigate(place({ panel: "runs", item: run.id }));
    });
  };
  return (
    <Dialog
      open
      onOpenChange={onClose}
      wide
      title="Approve this plan"
      description="This is what gets signed. Your servers run these steps and refuse anything else."
      footer={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button look="primary" icon={ShieldCheck} busy={approve.isPending} onClick={start} data-approve>
            {approveWords(steps, downtime)}
          </Button>
        </>
      }
    >
      <dl className="mb-4 grid gap-px overflow-hidden rounded-lg border border-line bg-line text-sm sm:grid-cols-3">
        <Fact name="Servers">{list(seen.plan.servers.map((server) => server.name))}</Fact>
        <Fact name="Risk">
          {risk(seen.plan.risk).short}
          <span className="block text-xs font-normal text-ink-2">{risk(seen.plan.risk).words}</span>
        </Fact>
        <Fact name="Downtime">
          {seconds(downtime)}
          {downtime > 0 && (
            <span className="block text-xs font-normal text-ink-2">
              {seen.plan.downtime.filter((one) => one.seconds > 0).map((one) => `${one.service}: ${one.reason}`).join("; ")}
            </span>
          )}
        </Fact>
      </dl>
      {seen.provisioning.map((one) => (
        <ApprovalSteps key={one.id} plan={one} server={seen.plan.servers.find((server) => server.server_id === one.server_id)?.name ?? one.server_id} />
      ))}
      <Warnings texts={seen.plan.warnings} />
      <ul className="mt-4 list-disc space-y-1 pl-5 text-sm text-ink-2">
        <li>No money is spent.</li>
        {generated.length > 0 && <li>{plural(generated.length, "secret is", "secrets are")} generated and sealed to the server; nobody sees the values.</li>}
        {seen.provisioning.some((one) => one.mandates.length > 0) && <li>Later commits of the same repository may be deployed without asking again.</li>}
        <li>You can pause or stop at the next step. Finished steps are not taken back.</li>
      </ul>
      {approve.isError && <ProblemNote error={approve.error} className="mt-4" />}
    </Dialog>
  );
}

function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div className="min-w-0 bg-surface px-3 py-2.5">
      <dt className="text-xs text-ink-3">{name}</dt>
      <dd className="font-semibold break-words">{children}</dd>
    </div>
  );
}
