// Owns placeholders that keep the layout still while something loads.
import { clsx } from "clsx";

export function Skeleton({ className }: { className?: string }) {
  return <div aria-hidden data-loading className={clsx("animate-shimmer rounded-md bg-hover", className)} />;
}

export function SkeletonList({ rows, className, label }: { rows: number; className: string; label: string }) {
  return (
    <div role="status" aria-label={label} className="space-y-3">
      {Array.from({ length: rows }, (_, row) => (
        <Skeleton key={row} className={className} />
      ))}
    </div>
  );
}
