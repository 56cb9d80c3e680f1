// Owns the accessibility bar: axe finds nothing, in light and in dark. It judges a page that stands still.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { settled } from "./chromium.mjs";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];

export async function audit(page, name) {
  for (const scheme of ["light", "dark"]) {
    await page.emulateMedia({ colorScheme: scheme, reducedMotion: "reduce" });
    await page.waitForFunction((wanted) => document.documentElement.dataset.theme === wanted, scheme);
    await settled(page);
    if (!(await page.evaluate(() => "axe" in window))) await page.evaluate(AXE);
    const told = await page.evaluate(violations, RULES);
    assert.deepEqual(told, [], `${name} in ${scheme}:\n${told.join("\n")}`);
  }
}

/** Runs in the page. */
async function violations(rules) {
  const { violations: found } = await window.axe.run(document, { runOnly: { type: "tag", values: rules }, resultTypes: ["violations"] });
  return found.map(({ id, help, nodes }) => {
    const places = nodes.slice(0, 3).map((node) => `${node.target.join(" ")} — ${node.failureSummary?.split("\n")[1] ?? ""}`);
    return `${id}: ${help}\n    ${places.join("\n    ")}`;
  });
}
