// Owns where a reader stands in a log: which lines are in sight, and that they stay where they are, whatever is learnt
// about the lines above them or let go there. Neighbours: heights.ts, use-rows.ts.
import { Heights } from "./heights";

/** A picture of it; a new one whenever something changed. */
export interface Seen {
  /** How far the box is scrolled, and how tall it is. */
  top: number;
  tall: number;
}

export class Sight {
  readonly heights = new Heights();
  private box: HTMLElement | null = null;
  private seen: Seen = { top: 0, tall: 0 };
  private tell: (() => void) | null = null;
  private first = 1;
  private end = 1;
  /** The line that shall come to the middle, until it is there. */
  private wanted: number | null = null;
  /** How far the box shall be scrolled, once what is in it is tall enough for that. */
  private due: number | null = null;

  readonly current = (): Seen => this.seen;

  readonly subscribe = (tell: () => void): (() => void) => {
    this.tell = tell;
    return () => { this.tell = null; };
  };

  /** Looks at a box until the returned function is called. With its width, heights change. */
  watch(box: HTMLElement): () => void {
    this.box = box;
    let wide = box.clientWidth;
    const observer = new ResizeObserver(() => {
      if (box.clientWidth !== wide) this.forget();
      wide = box.clientWidth;
      this.look();
    });
    observer.observe(box);
    return () => {
      observer.disconnect();
      this.box = null;
    };
  }

  /** The box was scrolled. */
  readonly look = (): void => {
    if (this.box !== null && (this.seen.top !== this.box.scrollTop || this.seen.tall !== this.box.clientHeight)) this.renew();
  };

  /** Lines are laid out in another way: their heights are learnt anew, and the line at the top stays there. */
  forget(): void {
    const { box, heights } = this;
    const anchor = box === null ? this.first : heights.at(this.first, this.end, box.scrollTop);
    heights.clear();
    if (box !== null && anchor > this.first) box.scrollTop = heights.between(this.first, anchor);
    this.renew();
  }

  show(number: number): void {
    this.wanted = number;
    this.toMiddle(number);
    this.renew();
  }

  /** After rows were drawn, the log's lines from `first` to before `end`: learns their heights, if they can differ. */
  drawn(first: number, end: number, differ: boolean): void {
    const { box, heights } = this;
    if (box === null) return;
    if (this.due !== null) box.scrollTop = this.due;
    this.due = null;
    const gone = heights.between(this.first, first);
    heights.letGo(first);
    this.first = first;
    this.end = end;
    const top = gone > 0 ? this.unclamped(box) : box.scrollTop;
    const anchor = heights.at(first, end, Math.max(0, top - gone));
    const stood = heights.between(first, anchor) + gone;
    const learnt = differ && measure(box, heights);
    const moved = heights.between(first, anchor) - stood;
    if (this.wanted !== null) {
      // A line that was let go, or never was, is not waited for: the nearest one is.
      const wanted = Math.max(first, Math.min(this.wanted, end - 1));
      this.toMiddle(wanted);
      if (!learnt && box.querySelector(`[data-index="${String(wanted)}"]`) !== null) this.wanted = null;
    } else if (moved !== 0) {
      box.scrollTop = top + moved;
      if (learnt && box.scrollTop < top + moved) this.due = top + moved;
    }
    if (learnt) this.renew();
    else this.look();
  }

  /** Where the reader stood before lines were let go: a browser moves a box up at once when less is in it. */
  private unclamped(box: HTMLElement): number {
    return box.scrollTop + box.clientHeight >= box.scrollHeight - 1 ? Math.max(box.scrollTop, this.seen.top) : box.scrollTop;
  }

  private toMiddle(number: number): void {
    if (this.box !== null) this.box.scrollTop = this.heights.between(this.first, number) - this.box.clientHeight / 2;
  }

  private renew(): void {
    this.seen = { top: this.box?.scrollTop ?? 0, tall: this.box?.clientHeight ?? 0 };
    this.tell?.();
  }
}

/** Every row on screen names its line. */
function measure(box: HTMLElement, heights: Heights): boolean {
  let learnt = false;
  for (const row of box.querySelectorAll<HTMLElement>("[data-index]")) {
    learnt = heights.set(Number(row.dataset["index"]), row.offsetHeight) || learnt;
  }
  return learnt;
}
