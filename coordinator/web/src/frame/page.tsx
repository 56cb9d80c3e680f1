// Owns the frame of a full page: title, actions, content that scrolls.
import { type ReactNode, useEffect } from "react";
import { MenuToggle } from "./sidebar-state";

export function useTitle(title: string): void {
  useEffect(() => {
    document.title = `${title} · Hydron`;
  }, [title]);
}

export function Page({ title, actions, children, lead }: { title: string; lead?: ReactNode; actions?: ReactNode; children: ReactNode }) {
  useTitle(title);
  return (
    <main className="flex min-w-0 flex-1 flex-col overflow-y-auto">
      <div className="mx-auto w-full max-w-5xl px-4 pt-5 pb-16 md:px-8 md:pt-8">
        <header className="mb-6 flex flex-wrap items-center gap-x-3 gap-y-2">
          <MenuToggle />
          <div className="min-w-0 flex-1">
            <h1 className="truncate text-xl font-semibold tracking-tight">{title}</h1>
            {lead !== undefined && <div className="text-sm text-ink-2">{lead}</div>}
          </div>
          {actions}
        </header>
        {children}
      </div>
    </main>
  );
}
