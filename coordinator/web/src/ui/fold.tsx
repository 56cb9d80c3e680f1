// Owns sections that open and close, with a heading that is a button.
import { clsx } from "clsx";
import { ChevronRight } from "lucide-react";
import { type ReactNode, useId, useState } from "react";

interface FoldProps {
  title: ReactNode;
  aside?: ReactNode;
  open?: boolean;
  children: ReactNode;
}

export function Fold({ title, aside, open: initially = false, children }: FoldProps) {
  const [open, setOpen] = useState(initially);
  const id = useId();
  return (
    <section className="border-t border-line">
      <div className="flex items-center gap-2">
        <h3 className="min-w-0 flex-1">
          <button
            type="button"
            aria-expanded={open}
            aria-controls={id}
            onClick={() => { setOpen(!open); }}
            className="flex w-full items-center gap-1.5 py-2.5 text-left text-sm font-medium text-ink hover:text-accent"
          >
            <ChevronRight className={clsx("size-4 shrink-0 text-ink-3 transition-transform", open && "rotate-90")} aria-hidden />
            <span className="min-w-0 truncate">{title}</span>
          </button>
        </h3>
        {aside}
      </div>
      <div id={id} hidden={!open} className="pb-4">
        {open && children}
      </div>
    </section>
  );
}
