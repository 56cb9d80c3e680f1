// Owns the accessibility bar: axe finds nothing, in light and in dark.
import assert from "node:assert/strict";
import { AxeBuilder } from "@axe-core/playwright";

export async function audit(page, name) {
  for (const scheme of ["light", "dark"]) {
    await page.emulateMedia({ colorScheme: scheme, reducedMotion: "reduce" });
    // The theme follows the media query, and colours are only judged once they are painted.
    await page.waitForFunction((wanted) => document.documentElement.dataset.theme === wanted, scheme, { timeout: 5000 }).catch(() => undefined);
    await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done, 500)))));
    const { violations } = await new AxeBuilder({ page }).withTags(["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]).analyze();
    const told = violations.map(({ id, help, nodes }) => `${id}: ${help}\n    ${nodes.slice(0, 3).map((node) => `${node.target.join(" ")} — ${node.failureSummary?.split("\n")[1] ?? ""}`).join("\n    ")}`);
    assert.deepEqual(told, [], `${name} in ${scheme}:\n${told.join("\n")}`);
  }
}
