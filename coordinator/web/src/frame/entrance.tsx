// Owns the page before the door: set-up and sign-in.
import type { ReactNode } from "react";
import { Mark } from "../ui/brand";
import { useTitle } from "./page";

export function Entrance({ title, lead, children }: { title: string; lead: string; children: ReactNode }) {
  useTitle(title);
  return (
    <main className="flex min-h-full flex-col items-center justify-center bg-canvas px-4 py-10">
      <div className="w-full max-w-sm">
        <div className="mb-6 flex flex-col items-center text-center">
          <Mark className="mb-4 size-11" />
          <h1 className="text-2xl font-semibold tracking-tight">{title}</h1>
          <p className="mt-1 text-sm text-ink-2">{lead}</p>
        </div>
        <div className="rounded-xl border border-line bg-surface p-6 shadow-1">{children}</div>
        <p className="mt-6 text-center text-xs text-ink-3">The coordinator says go, never what: your servers only run what you approved.</p>
      </div>
    </main>
  );
}
