// Owns the button of the whole product: it says what happens, opens exactly what will be signed, and sends its digests.
import { ShieldCheck } from "lucide-react";
import { useState } from "react";
import { useProvisioning } from "../api/plans";
import type { InfrastructurePlan } from "../api/types";
import { plural, seconds } from "../format/format";
import { Button } from "../ui/button";
import { ApprovalDialog } from "./approval-dialog";
import { stepCount, totalDowntime } from "./measure";

interface ApproveButtonProps {
  plan: InfrastructurePlan;
  project: string;
  wide?: boolean;
}

export function approveWords(steps: number, downtime: number): string {
  return `Approve and start · ${plural(steps, "step")} · ${seconds(downtime)} downtime`;
}

export function ApproveButton({ plan, project, wide = false }: ApproveButtonProps) {
  const provisioning = useProvisioning(plan);
  const [open, setOpen] = useState(false);
  const plans = provisioning.data ?? [];
  return (
    <>
      <Button
        look="primary"
        size={wide ? "md" : "sm"}
        icon={ShieldCheck}
        className={wide ? "w-full" : undefined}
        disabled={plans.length === 0}
        onClick={() => { setOpen(true); }}
      >
        {plans.length === 0 ? "Writing the steps…" : approveWords(stepCount(plans), totalDowntime(plan))}
      </Button>
      {open && plans.length > 0 && <ApprovalDialog plan={plan} provisioning={plans} project={project} onClose={() => { setOpen(false); }} />}
    </>
  );
}
