// Owns the moment before anything is known: the mark, nothing that jumps.
import { Mark } from "../ui/brand";

export function Waiting() {
  return (
    <div role="status" aria-label="Loading Hydron" data-loading className="flex h-full items-center justify-center">
      <Mark className="size-9 animate-shimmer" />
    </div>
  );
}
