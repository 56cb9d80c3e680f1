import { expect, it } from "vitest";
import type { Project } from "../api/types";
import { arrange } from "./arrange";

const project = (id: string, name: string, updated_at: number, status: Project["status"] = "live") => ({ id, name, updated_at, created_at: -updated_at, status }) as Project;
const all = [project("1", "Beta", 1), project("2", "alpha", 2, "failed"), project("3", "Gamma", 3)];
const ids = (list: Project[]) => list.map((one) => one.id).join("");
const wish = { text: "", state: "", order: "activity" as const, favourites: new Set<string>() };

it("puts favourites first, then follows the chosen order", () => {
  expect(ids(arrange(all, wish))).toBe("321");
  expect(ids(arrange(all, { ...wish, order: "name" }))).toBe("213");
  expect(ids(arrange(all, { ...wish, order: "created" }))).toBe("123");
  expect(ids(arrange(all, { ...wish, favourites: new Set(["1"]) }))).toBe("132");
});

it("filters by name and state together", () => {
  expect(ids(arrange(all, { ...wish, text: "A", state: "live" }))).toBe("31");
  expect(ids(arrange(all, { ...wish, text: "zz" }))).toBe("");
});
