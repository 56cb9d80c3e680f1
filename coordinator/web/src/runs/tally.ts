// Owns counting in a run: how far it is, what it does now, what went wrong.
import type { Run, RunServer, RunStep } from "../api/types";

export interface Tally {
  all: number;
  done: number;
  failed: number;
  skipped: number;
}

export function tally(run: Run): Tally {
  const steps = run.servers.flatMap((server) => server.steps);
  const count = (state: RunStep["state"]) => steps.filter((step) => step.state === state).length;
  return { all: steps.length, done: count("completed"), failed: count("failed"), skipped: count("skipped") };
}

export function share({ all, done, skipped }: Tally): number {
  return all === 0 ? 0 : (done + skipped) / all;
}

export interface Placed {
  server: RunServer;
  step: RunStep;
}

function find(run: Run, wanted: (step: RunStep) => boolean): Placed | undefined {
  for (const server of run.servers) {
    const step = server.steps.find(wanted);
    if (step !== undefined) return { server, step };
  }
  return undefined;
}

export const currentStep = (run: Run): Placed | undefined => find(run, (step) => step.state === "running");
export const failedStep = (run: Run): Placed | undefined => find(run, (step) => step.state === "failed");
export const unknownStep = (run: Run): Placed | undefined => find(run, (step) => step.state === "unknown");

/** A server cannot read its journal of this run any more: no retry helps, only a new run. */
export const journalLost = (run: Run): boolean => run.error?.code === "journal_lost";

/** The step whose log a reader most likely wants. */
export function interesting(run: Run): Placed | undefined {
  return unknownStep(run) ?? failedStep(run) ?? currentStep(run);
}
