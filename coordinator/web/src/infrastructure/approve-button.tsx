// Owns the button of the whole product: it says what happens, opens exactly what will be signed, and sends its digests.
import { ShieldCheck } from "lucide-react";
import { useState } from "react";
import { type Seen, useProvisioning } from "../api/plans";
import type { InfrastructurePlan } from "../api/types";
import { plural, seconds } from "../format/format";
import { Button } from "../ui/button";
import { ApprovalDialog } from "./approval-dialog";
import { stepCount, totalDowntime } from "./measure";

interface ApproveButtonProps {
  plan: InfrastructurePlan;
  project: string;
  wide?: boolean;
  /** Whether the plan can be approved now. A dialog that is open stays, to say why it no longer can. */
  offered: boolean;
}

export function approveWords(steps: number, downtime: number): string {
  return `Approve and start · ${plural(steps, "step")} · ${seconds(downtime)} downtime`;
}

export function ApproveButton({ plan, project, wide = false, offered }: ApproveButtonProps) {
  const provisioning = useProvisioning(plan);
  const [seen, setSeen] = useState<Seen | null>(null);
  const plans = provisioning.isPlaceholderData ? [] : (provisioning.data ?? []);
  return (
    <>
      {offered && <Button
        look="primary"
        size={wide ? "md" : "sm"}
        icon={ShieldCheck}
        className={wide ? "w-full" : undefined}
        disabled={plans.length === 0}
        onClick={() => { setSeen({ plan, provisioning: plans }); }}
      >
        {plans.length === 0 ? "Writing the steps…" : approveWords(stepCount(plans), totalDowntime(plan))}
      </Button>}
      {seen && <ApprovalDialog seen={seen} project={project} onClose={() => { setSeen(null); }} />}
    </>
  );
}
