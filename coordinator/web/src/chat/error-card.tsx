// Owns a failure told by the assistant.
import { problemFrom } from "../api/problem";
import { ProblemNote } from "../ui/problem-note";

export function ErrorCard({ data }: { data: unknown }) {
  const body = (typeof data === "object" && data !== null ? data : {}) as Record<string, unknown>;
  const message = typeof body["message"] === "string" ? { detail: body["message"] } : {};
  return <ProblemNote error={problemFrom(0, { title: "That did not work", ...message, ...body })} />;
}
