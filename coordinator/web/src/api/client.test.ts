import { afterEach, expect, it, vi } from "vitest";
import { Problem } from "./problem";

afterEach(() => {
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

async function withFetch(answers: (() => Promise<Response>)[]) {
  const sent: Request[] = [];
  vi.stubGlobal("fetch", (request: Request) => {
    sent.push(request);
    return (answers[sent.length - 1] ?? (() => Promise.reject(new TypeError("away"))))();
  });
  vi.resetModules();
  const client = await import("./client");
  return { ...client, sent };
}

const json = (body: unknown, status = 200) => () =>
  Promise.resolve(new Response(JSON.stringify(body), { status, headers: { "Content-Type": "application/json" } }));
const away = () => Promise.reject(new TypeError("network changed"));

it("sends a call again that got no answer, with the same key, so that it is done once", async () => {
  const { api, take, sent } = await withFetch([away, json({ id: "prj_1", name: "A" }, 201)]);
  const made = await take(api.POST("/projects", { baseUrl: "http://hydron/api/v1", body: { name: "A" } }));
  expect(made.id).toBe("prj_1");
  const keys = sent.map((request) => request.headers.get("Idempotency-Key"));
  expect(keys[0]).toBeTruthy();
  expect(keys[1]).toBe(keys[0]);
});

it("gives up in the end and says that nobody answers", async () => {
  vi.useFakeTimers();
  const { api, take, sent } = await withFetch([]);
  const outcome = take(api.GET("/projects", { baseUrl: "http://hydron/api/v1" })).catch((error: unknown) => error);
  await vi.advanceTimersByTimeAsync(10_000);
  expect(await outcome).toBeInstanceOf(TypeError);
  expect(sent.length).toBe(4);
});

it("turns a refusal into a problem with its code and field", async () => {
  const { api, take } = await withFetch([json({ status: 422, code: "invalid_field", title: "No", detail: "Because", field: "name" }, 422)]);
  const outcome = await take(api.GET("/projects", { baseUrl: "http://hydron/api/v1" })).catch((error: unknown) => error);
  expect((outcome as Problem).message).toBe("Because");
  expect(outcome).toMatchObject({ code: "invalid_field", field: "name", status: 422 });
});
