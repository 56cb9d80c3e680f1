// Owns changing a step before approval. A changed plan has another digest, so an earlier approval no longer counts.
import { type FormEvent, useState } from "react";
import { useEditSteps } from "../api/plans";
import type { PlanStep, ProvisioningPlan } from "../api/types";
import { Button } from "../ui/button";
import { Dialog } from "../ui/dialog";
import { Field, Input } from "../ui/field";
import { ProblemNote } from "../ui/problem-note";

interface EditStepProps {
  step: PlanStep;
  plan: ProvisioningPlan;
  project: string;
  onClose: () => void;
}

export function EditStep({ step, plan, project, onClose }: EditStepProps) {
  const edit = useEditSteps(project, plan.id);
  const [title, setTitle] = useState(step.title);
  const [timeout, setTimeout] = useState(String(step.timeout_s));
  const submit = (event: FormEvent) => {
    event.preventDefault();
    edit.mutate([{ index: step.index, title: title.trim(), timeout_s: Number(timeout) }], { onSuccess: onClose });
  };
  return (
    <Dialog
      open
      onOpenChange={onClose}
      title={`Step ${String(step.index + 1)}`}
      description="Changing a step gives the plan a new digest; it must then be approved as it is."
      footer={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" form="edit-step" look="primary" busy={edit.isPending}>Save step</Button>
        </>
      }
    >
      <form id="edit-step" onSubmit={submit} className="space-y-4">
        <Field label="Title">
          <Input required value={title} maxLength={200} onChange={(event) => { setTitle(event.target.value); }} />
        </Field>
        <Field label="Longest time, seconds" hint="The step is stopped and counted as failed after this.">
          <Input required type="number" min={1} max={86400} value={timeout} onChange={(event) => { setTimeout(event.target.value); }} />
        </Field>
        {edit.isError && <ProblemNote error={edit.error} />}
      </form>
    </Dialog>
  );
}
