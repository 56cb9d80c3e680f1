import { cleanup, fireEvent, render, screen } from "@testing-library/react";
import { afterEach, expect, it } from "vitest";
import type { AnalysisChange } from "../api/types";
import { ChangeList } from "./change-list";
import { summary } from "./change-words";

afterEach(cleanup);

const change = (over: Partial<AnalysisChange>): AnalysisChange => ({ service: "api", service_id: null, change: "changed", field: "port", before: "80", after: "81", kept: false, ...over });

it("says of each field what it was and is, under its service", () => {
  render(<ChangeList changes={[change({}), change({ field: "env.TOKEN", before: null, after: "required, secret" }), change({ service: "web", field: "start", before: "a", after: null, kept: true })]} />);
  const text = (service: string) => screen.getByRole("region", { name: `Changes of ${service}` }).textContent;
  expect(text("api")).toBe("apiPortbefore: 80, now: 81Variable TOKENbefore: not there, now: required, secret");
  expect(text("web")).toBe("webStartbefore: a, now: noneyour value stays");
});

it("tells a new service and one that is gone", () => {
  render(<ChangeList changes={[change({ change: "added", field: null, before: null, after: "." }), change({ service: "old", change: "removed", field: null, before: "apps/old", after: null })]} />);
  expect(screen.getByRole("region", { name: "Changes of api" }).textContent).toBe("apinew service repository root");
  expect(screen.getByRole("region", { name: "Changes of old" }).textContent).toBe("oldno longer found apps/old");
});

it("is short until all of it is asked for", () => {
  const many = Array.from({ length: 9 }, (_, at) => change({ field: `env.V${String(at)}` }));
  render(<ChangeList changes={many} />);
  expect(screen.getAllByRole("listitem")).toHaveLength(6);
  fireEvent.click(screen.getByRole("button", { name: "Show 3 more changes" }));
  expect(screen.getAllByRole("listitem")).toHaveLength(9);
});

it("counts in one line", () => {
  expect(summary([change({}), change({ field: "start" }), change({ change: "added" })])).toBe("1 new service, 2 fields changed");
});
