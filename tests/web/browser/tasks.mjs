// Owns what the page's own thread did while something went on: the longest task, by its processor time and by the clock.
// Rule: judged is processor time, because a task that waits for a processor is not the page's doing; the clock's time stands
// beside it. `waited` is how much longer the clock's time is in all: on a quiet machine 1.
import { writeFileSync } from "node:fs";

/** Does `act` under Chromium's own tracing. Figures are milliseconds. TRACE names files to keep it in, to look at. */
export async function watched(browser, page, act) {
  await browser.startTracing(page, { categories: ["toplevel", "__metadata", ...(process.env.TRACE ? ["devtools.timeline", "v8"] : [])] });
  try {
    await act();
  } finally {
    var trace = await browser.stopTracing();
  }
  if (process.env.TRACE) writeFileSync(`${process.env.TRACE}-${Date.now()}.json`, trace);
  const { traceEvents } = JSON.parse(trace.toString());
  const threads = new Set(traceEvents.filter((one) => one.name === "thread_name" && one.args.name === "CrRendererMain").map((one) => `${one.pid} ${one.tid}`));
  const tasks = traceEvents.filter((one) => one.ph === "X" && one.name === "ThreadControllerImpl::RunTask" && threads.has(`${one.pid} ${one.tid}`));
  const longest = (field) => Math.round(tasks.reduce((most, one) => Math.max(most, one[field] ?? 0), 0) / 100) / 10;
  const sum = (field) => tasks.reduce((all, one) => all + (one[field] ?? 0), 0);
  const waited = Math.round((sum("dur") / Math.max(1, sum("tdur"))) * 10) / 10;
  return { tasks: tasks.length, longest: longest("tdur"), by_the_clock: longest("dur"), over_50_by_the_clock: tasks.filter((one) => one.dur > 50_000).length, waited };
}

/** What the page's scripts hold after a collection, MiB. */
export async function heap(page) {
  const session = await page.context().newCDPSession(page);
  await session.send("HeapProfiler.collectGarbage");
  const { usedSize } = await session.send("Runtime.getHeapUsage");
  await session.detach();
  return Math.round((usedSize / 1024 / 1024) * 10) / 10;
}
