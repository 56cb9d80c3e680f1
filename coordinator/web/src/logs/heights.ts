// Owns how tall the lines of a log are on screen: as tall as one row, except for those that were seen to be taller.
// Rule: nothing costs what the log is long; only the exceptions are kept, summed up block by block.

/** The height of a line that was not wrapped, in pixels (`leading-5`). */
export const ROW = 20;
const BLOCK = 512;

interface Block {
  sum: number;
  rows: Map<number, number>;
}

export class Heights {
  private readonly blocks = new Map<number, Block>();

  /** Notes a line's height. Returns whether that is news. */
  set(number: number, height: number): boolean {
    const more = height - ROW;
    const key = Math.floor(number / BLOCK);
    const block = this.blocks.get(key);
    const before = block?.rows.get(number) ?? 0;
    if (more === before) return false;
    const changed = block ?? { sum: 0, rows: new Map<number, number>() };
    changed.sum += more - before;
    changed.rows.set(number, more);
    this.blocks.set(key, changed);
    return true;
  }

  clear(): void {
    this.blocks.clear();
  }

  /** Forgets lines before `first`: they will not be asked about again. */
  letGo(first: number): void {
    for (const key of this.blocks.keys()) if ((key + 1) * BLOCK <= first) this.blocks.delete(key);
  }

  /** How many lines are known to be taller. */
  get size(): number {
    return [...this.blocks.values()].reduce((sum, block) => sum + block.rows.size, 0);
  }

  /** How far below line `first` line `number` begins. */
  between(first: number, number: number): number {
    let more = 0;
    for (const [key, block] of this.blocks) {
      const from = key * BLOCK;
      if (from >= first && from + BLOCK <= number) more += block.sum;
      else if (from < number && from + BLOCK > first) {
        for (const [row, height] of block.rows) if (row >= first && row < number) more += height;
      }
    }
    return (number - first) * ROW + more;
  }

  /** The line that stands so far below line `first`. */
  at(first: number, end: number, offset: number): number {
    let low = first;
    let high = Math.max(first, end - 1);
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      if (this.between(first, middle) <= offset) low = middle;
      else high = middle - 1;
    }
    return low;
  }
}
