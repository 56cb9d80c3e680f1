import { expect, it } from "vitest";
import { parseDiff } from "./diff";

const TEXT = `--- a/api/Dockerfile
+++ b/api/Dockerfile
@@ -1,3 +1,2 @@
-# syntax=docker/dockerfile:1
 FROM node:22
 WORKDIR /app
@@ -10,2 +9,3 @@
 USER node
 EXPOSE 3000
+CMD ["node", "server.js"]
\\ No newline at end of file
`;

it("numbers the lines of both sides and says how many stand between", () => {
  const { hunks, added, removed } = parseDiff(TEXT);
  expect([added, removed]).toEqual([1, 1]);
  expect(hunks.map((hunk) => hunk.skipped)).toEqual([0, 6]);
  expect(hunks.flatMap((hunk) => hunk.lines.map(({ kind, before, after }) => [kind, before, after]))).toEqual([
    ["removed", 1, null],
    ["same", 2, 1],
    ["same", 3, 2],
    ["same", 10, 9],
    ["same", 11, 10],
    ["added", null, 11],
  ]);
});

it("keeps lines that look like headings, and takes the sign off only once", () => {
  const { hunks } = parseDiff("--- a/x\n+++ b/x\n@@ -1,2 +1,2 @@\n--- old\n+++ new\n same\n");
  expect(hunks[0]?.lines.map((line) => [line.kind, line.text])).toEqual([["removed", "-- old"], ["added", "++ new"], ["same", "same"]]);
});

it("reads a side without lines, and nothing at all", () => {
  expect(parseDiff("@@ -0,0 +1,2 @@\n+FROM a\n+CMD b\n").hunks[0]?.lines.map((line) => line.after)).toEqual([1, 2]);
  expect(parseDiff("")).toEqual({ hunks: [], added: 0, removed: 0 });
});
