// Owns the controls of a run. Pause and stop take effect at the next step; the button says that it is waiting for it.
import { OctagonX, Pause, Play, RotateCcw } from "lucide-react";
import { useState } from "react";
import { isActive, useControl } from "../api/runs";
import type { Run } from "../api/types";
import { Button } from "../ui/button";
import { Confirm } from "../ui/confirm";
import { sayProblem } from "../ui/toast";
import { journalLost, unknownStep } from "./tally";

export function RunControls({ run, size = "sm" }: { run: Run; size?: "sm" | "md" }) {
  const control = useControl(run.id);
  const [stopping, setStopping] = useState(false);
  const active = isActive(run);
  const act = (kind: "pause" | "resume" | "retry") => () => { control.mutate({ kind }, { onError: sayProblem }); };
  return (
    <div className="flex flex-wrap items-center gap-2">
      {active && run.state !== "paused" && (
        <Button size={size} icon={Pause} disabled={run.pausing || run.stopping || control.isPending} onClick={act("pause")}>
          {run.pausing ? "Pausing after this step…" : "Pause"}
        </Button>
      )}
      {run.state === "paused" && !unknownStep(run) && (
        <Button look="primary" size={size} icon={Play} disabled={control.isPending || run.stopping} onClick={act("resume")}>
          Resume
        </Button>
      )}
      {active && (
        <Button look="danger" size={size} icon={OctagonX} disabled={run.stopping || control.isPending} onClick={() => { setStopping(true); }}>
          {run.stopping ? "Stopping after this step…" : "Stop"}
        </Button>
      )}
      {run.state === "failed" && !journalLost(run) && (
        <Button look="primary" size={size} icon={RotateCcw} busy={control.isPending} onClick={act("retry")}>
          Retry from the failed step
        </Button>
      )}
      <Confirm
        open={stopping}
        onOpenChange={setStopping}
        title="Stop this run?"
        action="Stop the run"
        busy={control.isPending}
        error={control.error}
        onConfirm={() => { control.mutate({ kind: "stop" }, { onSuccess: () => { setStopping(false); } }); }}
      >
        <p>The step that is running finishes first. Steps that are done are not taken back, and what is live stays live. A stopped run cannot be continued; start a new one instead.</p>
      </Confirm>
    </div>
  );
}
