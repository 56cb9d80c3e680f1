import { expect, it } from "vitest";
import { affected, parseTeamEvent } from "./affected";

it("goes by the ids that an event names, whatever its kind is called", () => {
  const keys = affected({ seq: 1, kind: "anything.new", project_id: "prj_1", subject: "run_9" }).map((key) => key.join("/"));
  expect(keys).toContain("run/run_9");
  expect(keys).toContain("runs/prj_1");
  expect(keys).toContain("project/prj_1");
});

it("reads a subject that is an id or an object with one, and survives nonsense", () => {
  expect(parseTeamEvent('{"seq":1,"kind":"k","subject":{"id":"svc_1"}}')?.subject).toBe("svc_1");
  expect(parseTeamEvent('{"seq":1,"kind":"k","subject":"svc_2","project_id":"prj_1"}')).toMatchObject({ subject: "svc_2", project_id: "prj_1" });
  expect(parseTeamEvent("not json")).toBeNull();
  expect(parseTeamEvent("null")).toBeNull();
});
