import { describe, expect, it } from "vitest";
import { ago, bytes, duration, list, plural, repository, risk, seconds, shortDigest } from "./format";

const NOW = Date.UTC(2026, 10, 21, 12);

describe("times", () => {
  it("reads relative to now and turns into a date after a week", () => {
    expect(ago(NOW - 3_000, NOW)).toBe("just now");
    expect(ago(NOW - 42_000, NOW)).toBe("42 s ago");
    expect(ago(NOW - 5 * 60_000, NOW)).toBe("5 min ago");
    expect(ago(NOW - 26 * 3_600_000, NOW)).toBe("1 day ago");
    expect(ago(NOW + 60 * 60_000, NOW)).toBe("in 1 h");
    expect(ago(NOW - 30 * 86_400_000, NOW)).toBe("22 Oct 2026");
  });

  it("shows durations as exactly as they matter", () => {
    expect(duration(420)).toBe("0.4 s");
    expect(duration(9_960)).toBe("10 s");
    expect(duration(185_000)).toBe("3 min 05 s");
    expect(duration(7_800_000)).toBe("2 h 10 min");
    expect(duration(-5)).toBe("0 s");
  });

  it("shows promises in whole units", () => {
    expect(seconds(0)).toBe("0 s");
    expect(seconds(90)).toBe("90 s");
    expect(seconds(1800)).toBe("30 min");
    expect(seconds(3600)).toBe("1 h");
  });
});

describe("sizes and counts", () => {
  it("uses binary units", () => {
    expect(bytes(0)).toBe("0 B");
    expect(bytes(1536)).toBe("1.5 KiB");
    expect(bytes(16_042 * 1024 * 1024)).toBe("16 GiB");
  });

  it("agrees with its number", () => {
    expect(plural(1, "step")).toBe("1 step");
    expect(plural(12_000, "step")).toBe("12,000 steps");
    expect(list(["api", "web", "postgres"])).toBe("api, web and postgres");
  });
});

describe("names", () => {
  it("shortens what is compared by eye", () => {
    expect(shortDigest(`sha256:${"ab".repeat(32)}`)).toBe("abababababab");
    expect(repository("https://git.example.org/acme/shop.git")).toBe("acme/shop");
    expect(repository("git@git.example.org:acme/shop.git")).toBe("acme/shop");
  });

  it("says risk in words", () => {
    expect(risk("r3")).toMatchObject({ short: "Security-relevant", level: "R3" });
  });
});
