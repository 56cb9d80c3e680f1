// Owns how a failure reads: what happened, why, what to do, and a code to quote.
import { clsx } from "clsx";
import { CircleX, RotateCcw } from "lucide-react";
import { asProblem } from "../api/problem";
import { Button } from "./button";

interface ProblemNoteProps {
  error: unknown;
  onRetry?: () => void;
  className?: string;
}

export function ProblemNote({ error, onRetry, className }: ProblemNoteProps) {
  const problem = asProblem(error);
  const same = problem.message === problem.title;
  return (
    <div role="alert" className={clsx("flex items-start gap-2.5 rounded-lg border border-bad/30 bg-bad-soft px-3 py-2.5 text-sm", className)}>
      <CircleX className="mt-0.5 size-4 shrink-0 text-bad" aria-hidden />
      <div className="min-w-0 flex-1">
        <p className="font-medium break-words text-ink">{problem.title}</p>
        {!same && <p className="mt-0.5 break-words text-ink-2 first-letter:uppercase">{problem.message}</p>}
        <p className="mt-1 text-xs break-words text-ink-2">
          Code <code>{problem.code}</code>
          {problem.field !== null && (
            <>
              {" "}
              · field <code>{problem.field}</code>
            </>
          )}
        </p>
      </div>
      {onRetry && (
        <Button size="sm" icon={RotateCcw} onClick={onRetry}>
          Try again
        </Button>
      )}
    </div>
  );
}
