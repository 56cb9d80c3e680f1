import { expect, it } from "vitest";
import { approveWords } from "./approve-button";
import { byPhase, totalDowntime } from "./measure";

it("says on the button what will happen", () => {
  expect(approveWords(12, 0)).toBe("Approve and start · 12 steps · 0 s downtime");
  expect(approveWords(1, 5)).toBe("Approve and start · 1 step · 5 s downtime");
});

it("adds up declared downtime and cuts steps where the phase changes", () => {
  expect(totalDowntime({ downtime: [{ service: "a", seconds: 5, reason: "" }, { service: "b", seconds: 2, reason: "" }] })).toBe(7);
  const groups = byPhase([{ phase: "build" as const }, { phase: "build" as const }, { phase: "deploy" as const }, { phase: "build" as const }]);
  expect(groups.map((group) => [group.phase, group.steps.length])).toEqual([["build", 2], ["deploy", 1], ["build", 1]]);
});
