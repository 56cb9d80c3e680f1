// Owns the frame of a card in the chat: what it is about, its state, its content, the way to its full view.
import { ArrowUpRight, type LucideIcon } from "lucide-react";
import type { ReactNode } from "react";
import { Link } from "react-router";

interface CardProps {
  icon: LucideIcon;
  title: ReactNode;
  state?: ReactNode;
  to?: string;
  open?: string;
  children?: ReactNode;
  actions?: ReactNode;
}

export function Card({ icon: Icon, title, state, to, open = "Open", children, actions }: CardProps) {
  return (
    <section className="overflow-hidden rounded-xl border border-line bg-surface shadow-1">
      <header className="flex min-h-11 flex-wrap items-center gap-x-2 px-3.5 py-2">
        <Icon className="size-4 shrink-0 text-ink-3" aria-hidden />
        <h2 className="min-w-32 flex-1 truncate text-sm font-semibold">{title}</h2>
        {state}
        {to !== undefined && (
          <Link to={to} className="inline-flex items-center gap-0.5 rounded text-xs font-medium whitespace-nowrap text-accent hover:underline">
            {open}
            <ArrowUpRight className="size-3.5" aria-hidden />
          </Link>
        )}
      </header>
      {children !== undefined && <div className="border-t border-line px-3.5 py-3 text-sm">{children}</div>}
      {actions !== undefined && <footer className="flex flex-wrap items-center gap-2 border-t border-line bg-sunken px-3.5 py-2.5 empty:hidden">{actions}</footer>}
    </section>
  );
}
