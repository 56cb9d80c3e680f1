// Owns what a failed call looks like: RFC 9457 problem details become one error type with a code to quote.

export interface ProblemBody {
  title?: string;
  status?: number;
  code?: string;
  detail?: string;
  field?: string | null;
}

/** HTTP's own phrases tell a person nothing; the sentence below the title tells the rest. */
const IN_WORDS: Record<string, string> = {
  "Bad Request": "This cannot be read",
  Forbidden: "This is not allowed",
  "Not Found": "This is not here",
  Conflict: "Not now",
  "Payload Too Large": "This is too large",
  "Content Too Large": "This is too large",
  "Unprocessable Entity": "This cannot be used",
  "Too Many Requests": "Too many at once",
  "Internal Server Error": "The coordinator failed",
  "Service Unavailable": "The coordinator is busy",
};

export class Problem extends Error {
  readonly status: number;
  readonly code: string;
  readonly title: string;
  readonly field: string | null;
  readonly extra: Record<string, unknown>;

  constructor(status: number, body: ProblemBody & Record<string, unknown>) {
    const title = body.title ?? "The request failed";
    super(body.detail ?? title);
    this.name = "Problem";
    this.status = status;
    this.code = body.code ?? `http_${String(status)}`;
    this.title = IN_WORDS[title] ?? title;
    this.field = body.field ?? null;
    this.extra = body;
  }
}

export function problemFrom(status: number, body: unknown): Problem {
  if (typeof body === "object" && body !== null) return new Problem(status, body as Record<string, unknown>);
  return new Problem(status, {
    title: "The server answered in a way this page does not understand",
    detail: `Status ${String(status)}. Try again; if it stays, look at the coordinator's log.`,
  });
}

/** Any thrown value as a problem: a lost connection is one too, with words of its own. */
export function asProblem(error: unknown): Problem {
  if (error instanceof Problem) return error;
  if (error instanceof TypeError) {
    return new Problem(0, {
      code: "unreachable",
      title: "The coordinator does not answer",
      detail: "Check that it is running and that this machine can reach it. Deployed apps are not affected.",
    });
  }
  return new Problem(0, { code: "unexpected", title: "Something went wrong here", detail: String(error) });
}
