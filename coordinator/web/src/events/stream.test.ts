import { afterEach, expect, it, vi } from "vitest";
import { openStream, type StreamState, waitFor } from "./stream";

afterEach(() => {
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

function answer(text: string, status = 200): Response {
  return new Response(text, { status, headers: { "Content-Type": "text/event-stream" } });
}

it("resumes after the last event it saw and names the team", async () => {
  vi.useFakeTimers();
  localStorage.setItem("hydron.team", "team_1");
  const seen: string[] = [];
  const headers: (string | undefined)[] = [];
  const fetching = vi.fn((_url: string, init: { headers: Record<string, string> }) => {
    headers.push(init.headers["Last-Event-ID"]);
    expect(init.headers["Hydron-Team"]).toBe("team_1");
    const call = fetching.mock.calls.length;
    return Promise.resolve(answer(call === 1 ? "id: 4\ndata: a\n\n" : "id: 5\ndata: b\n\n"));
  });
  vi.stubGlobal("fetch", fetching);
  const close = openStream({ url: "/events", onEvent: ({ data }) => seen.push(data) });
  await vi.advanceTimersByTimeAsync(600);
  close();
  expect(seen.slice(0, 2)).toEqual(["a", "b"]);
  expect(headers.slice(0, 2)).toEqual([undefined, "4"]);
});

it("does not ask again when the server says that it never may", async () => {
  vi.useFakeTimers();
  const fetching = vi.fn(() => Promise.resolve(answer("", 404)));
  vi.stubGlobal("fetch", fetching);
  const states: StreamState[] = [];
  openStream({ url: "/events", onEvent: () => undefined, onState: (state) => states.push(state) });
  await vi.advanceTimersByTimeAsync(60_000);
  expect(fetching).toHaveBeenCalledTimes(1);
  expect(states).toEqual(["connecting", "closed"]);
});

it("keeps asking a server that is away, ever more slowly, and stops when it is closed", async () => {
  vi.useFakeTimers();
  const fetching = vi.fn(() => Promise.reject(new TypeError("away")));
  vi.stubGlobal("fetch", fetching);
  const close = openStream({ url: "/events", onEvent: () => undefined });
  await vi.advanceTimersByTimeAsync(60_000);
  const tries = fetching.mock.calls.length;
  expect(tries).toBeGreaterThan(4);
  expect(tries).toBeLessThan(14);
  close();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(fetching).toHaveBeenCalledTimes(tries);
});

it("takes a connection that stays silent for dead", async () => {
  vi.useFakeTimers();
  const fetching = vi.fn((_url: string, { signal }: { signal: AbortSignal }) => {
    const body = new ReadableStream({ start: (controller) => { signal.addEventListener("abort", () => { controller.error(new Error("cut")); }); } });
    return Promise.resolve(new Response(body));
  });
  vi.stubGlobal("fetch", fetching);
  const close = openStream({ url: "/events", onEvent: () => undefined });
  await vi.advanceTimersByTimeAsync(44_000);
  expect(fetching).toHaveBeenCalledTimes(1);
  await vi.advanceTimersByTimeAsync(3_000);
  expect(fetching).toHaveBeenCalledTimes(2);
  close();
});

it("waits between half and all of a doubling time", () => {
  expect(waitFor(0, 0)).toBe(250);
  expect(waitFor(0, 1)).toBe(500);
  expect(waitFor(20, 1)).toBe(20_000);
});
