// Owns the one way to call the REST API: typed by the OpenAPI file, the team in a header, failures as `Problem`.
import createClient, { type Middleware } from "openapi-fetch";
import { problemFrom } from "./problem";
import { visible } from "../format/visible";
import type { paths } from "./schema";
import { teamHeaders } from "./team";

const team: Middleware = {
  onRequest({ request }) {
    for (const [name, value] of Object.entries(teamHeaders())) request.headers.set(name, value);
    return request;
  },
};

export const BASE = "/api/v1";
// eslint-disable-next-line @typescript-eslint/no-explicit-any
export const api = createClient<paths>({ baseUrl: BASE, credentials: "same-origin" }) as any;
api.use(team);

interface Answer<T> {
  data?: T;
  error?: unknown;
  response: Response;
}

/** The body of a call that succeeded; a `Problem` otherwise. */
export async function take<T>(call: Promise<Answer<T>>): Promise<T> {
  const { data, error, response } = await call;
  if (!response.ok) throw problemFrom(response.status, visible(error));
  return visible(data) as T;
}

/** A header that makes a creating call safe to send twice. */
export function once(): { "Idempotency-Key": string } {
  return { "Idempotency-Key": crypto.randomUUID() };
}
