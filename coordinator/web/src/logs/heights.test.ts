import { expect, it } from "vitest";
import { Heights, ROW } from "./heights";

it("counts every line as one row until it was seen to be taller", () => {
  const heights = new Heights();
  expect(heights.between(1, 200_001)).toBe(200_000 * ROW);
  expect(heights.at(1, 200_001, 100_000 * ROW)).toBe(100_001);
  expect([heights.set(10, 3 * ROW), heights.set(10, 3 * ROW), heights.set(11, ROW)]).toEqual([true, false, false]);
  expect([heights.between(1, 10), heights.between(1, 11)]).toEqual([9 * ROW, 12 * ROW]);
  expect([heights.at(1, 100, 9 * ROW), heights.at(1, 100, 12 * ROW - 1), heights.at(1, 100, 12 * ROW)]).toEqual([10, 10, 11]);
  expect(heights.set(10, ROW)).toBe(true);
  expect(heights.between(1, 11)).toBe(10 * ROW);
});

it("says the same as adding up line by line, from any line on", () => {
  const heights = new Heights();
  const tall = (number: number) => (number % 7 === 0 ? 4 : number % 513 === 0 ? 9 : 1) * ROW;
  for (let number = 1; number < 1_600; number += 1) heights.set(number, tall(number));
  for (const first of [1, 2, 511, 512, 513, 1_200]) {
    let sum = 0;
    for (let number = first; number < 1_600; number += 1) {
      expect(heights.between(first, number)).toBe(sum);
      if (number % 97 === 0) expect(heights.at(first, 1_600, sum)).toBe(number);
      sum += tall(number);
    }
  }
});

it("stays inside of what is there", () => {
  const heights = new Heights();
  expect([heights.at(5, 5, 100), heights.at(5, 8, 9_999), heights.at(5, 8, -5)]).toEqual([5, 7, 5]);
});

it("keeps nothing of lines that were let go, and the same of the others", () => {
  const heights = new Heights();
  for (let number = 1; number <= 5_120; number += 1) heights.set(number, 2 * ROW);
  const before = heights.between(4_700, 5_121);
  heights.letGo(4_700);
  expect(heights.between(4_700, 5_121)).toBe(before);
  expect(heights.size).toBeLessThan(5_120 - 4_700 + 512);
});
