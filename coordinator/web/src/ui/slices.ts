// Owns work over many lines in slices that nobody feels: a few milliseconds, then whatever the page has to do, then on.

/** Far below what a person notices, and below a frame. */
const SLICE_MS = 6;
/** Asking for the time costs something, too. */
const AT_ONCE = 64;

/** Calls `act` with every number from `from` up to `end()`, which may grow meanwhile, until it returns true. */
export async function inSlices(from: number, end: () => number, signal: AbortSignal, act: (number: number) => boolean): Promise<void> {
  let began = performance.now();
  for (let number = from; number < end(); number += 1) {
    if (signal.aborted || act(number)) return;
    if (number % AT_ONCE === 0 && performance.now() - began > SLICE_MS) {
      await othersFirst();
      began = performance.now();
    }
  }
}

/** Lets input, frames and timers have their turn. */
export function othersFirst(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve));
}

/** Says when a slice is over, for work that comes by itself. */
export class Slice {
  private began = performance.now();

  async over(): Promise<void> {
    if (performance.now() - this.began < SLICE_MS) return;
    await othersFirst();
    this.began = performance.now();
  }
}
