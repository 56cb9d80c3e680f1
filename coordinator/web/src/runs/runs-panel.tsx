// Owns the Runs panel: the list, or one run with its steps, or one step's log.
import { useSearchParams } from "react-router";
import { RunList } from "./run-list";
import { RunView } from "./run-view";

export default function RunsPanel({ project, run }: { project: string; run: string | undefined }) {
  const [params] = useSearchParams();
  if (run === undefined) return <RunList project={project} />;
  const step = params.get("step");
  const at = step === null ? undefined : { server: params.get("server") ?? "", step: Number(step), attempt: Number(params.get("attempt") ?? 0) };
  return <RunView key={run} id={run} project={project} at={at} />;
}
