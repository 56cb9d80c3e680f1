import { expect, it } from "vitest";
import { visible } from "./visible";

it("spells out marks that would turn a name around", () => {
  expect(visible({ name: "invoice\u202egnp.exe", list: ["a\u200bb"] })).toEqual({ name: "invoice[U+202E]gnp.exe", list: ["a[U+200B]b"] });
});

it("keeps what has none as the very same object", () => {
  const value = { name: "Übung – 日本語", nested: [{ n: 1 }, null, true] };
  expect(visible(value)).toBe(value);
});
