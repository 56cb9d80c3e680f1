// Owns the moment between a question and its answer.
import { LoaderCircle } from "lucide-react";

export function Thinking() {
  return (
    <p role="status" className="mt-6 flex items-center gap-2 text-sm text-ink-3">
      <LoaderCircle className="size-4 animate-spin" aria-hidden /> Working on it…
    </p>
  );
}
