// Owns empty places: each says what would be here and offers the next thing to do.
import type { LucideIcon } from "lucide-react";
import type { ReactNode } from "react";

interface EmptyProps {
  icon: LucideIcon;
  title: string;
  children: ReactNode;
  action?: ReactNode;
}

export function Empty({ icon: Icon, title, children, action }: EmptyProps) {
  return (
    <div className="mx-auto flex max-w-sm flex-col items-center px-4 py-12 text-center">
      <span className="mb-3 flex size-10 items-center justify-center rounded-xl border border-line bg-surface text-ink-3 shadow-1">
        <Icon className="size-5" aria-hidden />
      </span>
      <h2 className="text-base font-semibold text-ink">{title}</h2>
      <div className="mt-1 text-sm text-ink-2">{children}</div>
      {action !== undefined && <div className="mt-4 flex flex-wrap justify-center gap-2">{action}</div>}
    </div>
  );
}
