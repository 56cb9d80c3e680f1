// Owns the one way to call the REST API: typed by the OpenAPI file, the team in a header, failures as `Problem`.
import createClient, { type Middleware } from "openapi-fetch";
import { problemFrom } from "./problem";
import { visible } from "../format/visible";
import type { paths } from "./schema";
import { teamHeaders } from "./team";
import type { Solid } from "./types";

const team: Middleware = {
  onRequest({ request }) {
    for (const [name, value] of Object.entries(teamHeaders())) request.headers.set(name, value);
    return request;
  },
};

export const BASE = "/api/v1";

/** The operations by their path below the base. */
type Operations = { [Path in keyof paths as Path extends `${typeof BASE}${infer Rest}` ? Rest : never]: paths[Path] };

const FIRST_WAIT_MS = 250;
const LONGEST_WAIT_MS = 2500;

/** A call that got no answer is sent again: what it asks for is done once, because the second carries the same key. */
async function persist(request: Request): Promise<Response> {
  for (let wait = FIRST_WAIT_MS; ; wait *= 3) {
    try {
      return await fetch(request.clone());
    } catch (error) {
      if (request.signal.aborted || wait > LONGEST_WAIT_MS) throw error;
      await new Promise((resolve) => setTimeout(resolve, wait));
    }
  }
}

export const api = createClient<Operations>({ baseUrl: BASE, credentials: "same-origin", fetch: persist });
/** Makes a creating call safe to send twice. */
const once: Middleware = {
  onRequest({ request }) {
    if (request.method === "POST") request.headers.set("Idempotency-Key", crypto.randomUUID());
    return request;
  },
};
api.use(team, once);

interface Answer<T> {
  data?: T;
  error?: unknown;
  response: Response;
}

/** The body of a call that succeeded; a `Problem` otherwise. */
export async function take<T>(call: Promise<Answer<T>>): Promise<Solid<T>> {
  const { data, error, response } = await call;
  if (!response.ok) throw problemFrom(response.status, visible(error));
  return visible(data) as Solid<T>;
}
