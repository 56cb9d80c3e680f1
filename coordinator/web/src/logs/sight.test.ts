import { beforeEach, expect, it, vi } from "vitest";
import { ROW } from "./heights";
import { Sight } from "./sight";

const TALL = 400;

beforeEach(() => {
  vi.stubGlobal("ResizeObserver", class {
    observe() { /* nothing changes its size here */ }
    disconnect() { /* nothing to end */ }
  });
});

/** A box of a browser with a log in it: it is never scrolled further than what is in it is tall. */
class Box {
  readonly sight = new Sight();
  readonly clientWidth = 600;
  readonly clientHeight = TALL;
  scrollHeight = TALL;
  private top = 0;
  private rows: { dataset: { index: string }; offsetHeight: number }[] = [];
  private first = 1;
  private end = 1;
  private again = false;
  tallness: (number: number) => number = () => ROW;

  constructor() {
    this.sight.subscribe(() => { this.again = true; });
    this.sight.watch(this as unknown as HTMLElement);
  }

  get scrollTop(): number {
    return this.top;
  }
  set scrollTop(to: number) {
    this.top = Math.max(0, Math.min(to, this.scrollHeight - TALL));
  }

  querySelectorAll(): unknown {
    return this.rows;
  }
  querySelector(selector: string): unknown {
    return this.rows.find((row) => selector === `[data-index="${row.dataset.index}"]`) ?? null;
  }

  /** Draws as useRows and React do: until nothing changes any more. */
  draw(first = this.first, end = this.end, differ = true): void {
    [this.first, this.end] = [first, end];
    for (let round = 0; round < 20; round += 1) {
      this.again = false;
      const { heights } = this.sight;
      const { top, tall } = this.sight.current();
      const from = Math.max(first, heights.at(first, end, top) - 10);
      const to = Math.min(end, heights.at(first, end, top + tall) + 11);
      this.rows = Array.from({ length: to - from }, (_, at) => ({ dataset: { index: String(from + at) }, offsetHeight: differ ? this.tallness(from + at) : ROW }));
      this.scrollHeight = Math.max(TALL, heights.between(first, end));
      this.scrollTop = this.top;
      this.sight.drawn(first, end, differ);
      if (!this.again) return;
    }
    throw new Error("never comes to rest");
  }

  scroll(to: number): void {
    this.scrollTop = to;
    this.sight.look();
    if (this.again) this.draw();
  }

  /** The line at the top of what is seen, and how far above the edge it begins. */
  atTop(): [number, number] {
    const number = this.sight.heights.at(this.first, this.end, this.top);
    return [number, this.top - this.sight.heights.between(this.first, number)];
  }
}

it("leaves a reader where he is when lines far above are let go, also one who is near the end", () => {
  for (const line of [150_000, 209_000, 209_960]) {
    const box = new Box();
    box.draw(1, 210_001);
    box.scroll((line - 1) * ROW + 7);
    expect(box.atTop()).toEqual([line, 7]);
    box.draw(10_002, 210_002);
    expect(box.atTop()).toEqual([line, 7]);
  }
});

it("goes to the first line that is here when the one on screen was let go", () => {
  const box = new Box();
  box.draw(1, 210_001);
  box.scroll(3_000 * ROW);
  box.draw(10_002, 210_002);
  expect(box.atTop()).toEqual([10_002, 0]);
});

it("leaves a reader where he is when lines above turn out to be taller, also near the end", () => {
  const box = new Box();
  box.tallness = (number) => (number <= 970 && number % 3 === 0 ? 30 * ROW : ROW);
  box.draw(1, 1_001);
  for (let turn = 0; turn < 200; turn += 1) box.scroll(1e9);
  for (let turn = 0; turn < 200; turn += 1) {
    const [line, into] = box.atTop();
    const wanted = box.sight.heights.between(1, line) + into - 3;
    const bottom = box.sight.heights.between(1, 1_001) - wanted;
    box.scroll(wanted);
    expect(box.sight.heights.between(1, 1_001) - box.scrollTop).toBe(bottom);
  }
});

it("brings a line to the middle, and then lets the reader go on", () => {
  const box = new Box();
  box.tallness = (number) => (number % 2 === 0 ? 3 * ROW : ROW);
  box.draw(1, 5_001);
  box.sight.show(2_500);
  box.draw();
  const offset = box.sight.heights.between(1, 2_500) - box.scrollTop;
  expect(offset).toBe(TALL / 2);
  box.scroll(0);
  expect(box.scrollTop).toBe(0);
});

it.each([[5, 10_002], [999_999, 209_600]])("does not hold a reader at line %d, which is not here", (number, near) => {
  const box = new Box();
  box.draw(10_002, 210_002);
  box.sight.show(number);
  box.draw();
  expect(Math.abs(box.atTop()[0] - near)).toBeLessThan(400);
  box.scroll(50_000 * ROW);
  box.draw();
  expect(box.atTop()[0]).toBe(60_002);
});

it("keeps the line at the top when lines are wrapped in another way", () => {
  const box = new Box();
  box.tallness = (number) => (number % 2 === 0 ? 4 * ROW : ROW);
  box.draw(1, 2_001);
  for (let to = 0; to < 30_000; to += 300) box.scroll(to);
  const [line] = box.atTop();
  expect(box.scrollTop).toBeGreaterThan((line - 1) * ROW * 2);
  box.sight.forget();
  box.draw(1, 2_001, false);
  expect(box.atTop()).toEqual([line, 0]);
});
