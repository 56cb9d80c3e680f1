// Owns the browser of the tests: Debian's Chromium, quiet, fresh, with its console and foreign requests watched.
import { mkdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";

export const OUT = fileURLToPath(new URL("../out/", import.meta.url));
mkdirSync(OUT, { recursive: true });

export const SIZES = { wide: { width: 1440, height: 900 }, middle: { width: 1024, height: 768 }, narrow: { width: 390, height: 844 } };

export function launch() {
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
  });
}

/** A page of its own. `watch` collects what must stay empty: errors, policy violations, requests to other hosts. */
export async function open(browser, origin, { size = SIZES.wide, dark = false, storage, bypassCSP = false } = {}) {
  const context = await browser.newContext({ viewport: size, colorScheme: dark ? "dark" : "light", ignoreHTTPSErrors: true, reducedMotion: "reduce", storageState: storage, bypassCSP, permissions: ["clipboard-read", "clipboard-write"] });
  const page = await context.newPage();
  page.setDefaultTimeout(Number(process.env.PATIENCE ?? 15_000));
  // Where containers come and go, Chromium cuts connections that are being made: a person would load the page again.
  const visit = page.goto.bind(page);
  page.goto = async (url, options) => {
    for (let left = 4; ; left -= 1) {
      try {
        const answer = await visit(url, options);
        if (url.startsWith(origin)) await page.locator("#root > *").first().waitFor({ timeout: 8000 });
        return answer;
      } catch (error) {
        if (left === 0) throw error;
        await page.waitForTimeout(700);
      }
    }
  };
  const watch = { errors: [], foreign: [], dialogs: 0 };
  page.on("console", (message) => {
    // A refused sign-in or a missing page is an answer, not a fault; the browser logs it all the same. On the machine
    // where containers come and go it also cuts connections, which the page must survive.
    if (message.type() === "error" && !/status of 4\d\d|ERR_NETWORK_CHANGED/.test(message.text())) watch.errors.push(message.text());
  });
  page.on("pageerror", (error) => watch.errors.push(String(error)));
  page.on("dialog", (dialog) => {
    watch.dialogs += 1;
    void dialog.dismiss();
  });
  page.on("request", (request) => {
    const url = request.url();
    if (!url.startsWith(origin) && !url.startsWith("data:") && !url.startsWith("blob:")) watch.foreign.push(url);
  });
  return { context, page, watch };
}

/** Waits until nothing is being loaded or moved: what a picture or a judgement needs. */
export async function settled(page) {
  await page.waitForFunction(() => {
    const still = document.getAnimations().every((one) => one.playState !== "running");
    return still && document.fonts.status === "loaded" && document.querySelector("[data-loading]") === null;
  }, undefined, { polling: 50, timeout: 30_000 });
}

export async function shot(page, name) {
  await settled(page);
  await page.screenshot({ path: `${OUT}${name}.png` });
}
