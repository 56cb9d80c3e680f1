// Owns what a plan warns of: true, allowed, and better known before it is approved.
import { TriangleAlert } from "lucide-react";

export function Warnings({ texts }: { texts: string[] }) {
  if (texts.length === 0) return null;
  return (
    <ul className="mt-4 space-y-1.5 rounded-lg bg-warn-soft px-3 py-2.5 text-sm text-ink-2" aria-label="Warnings">
      {texts.map((text) => (
        <li key={text} className="flex gap-2">
          <TriangleAlert className="mt-0.5 size-4 shrink-0 text-warn" aria-hidden />
          <span className="min-w-0 break-words">{text}</span>
        </li>
      ))}
    </ul>
  );
}
