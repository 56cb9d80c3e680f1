// Owns when a dialog is there. Its frame comes later (later.ts); who is faster than that sees that it is on its way.
import { LoaderCircle } from "lucide-react";
import { useEffect } from "react";
import type { DialogProps } from "./dialog-frame";
import { later, useLater } from "./later";

const frame = later(() => import("./dialog-frame"));

export function Dialog({ open, ...props }: DialogProps & { open: boolean }) {
  const here = useLater(frame, open);
  if (!open) return null;
  if (here === null) return <Coming onOpenChange={props.onOpenChange} />;
  return <here.DialogFrame {...props} />;
}

function Coming({ onOpenChange }: Pick<DialogProps, "onOpenChange">) {
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (event.key === "Escape") onOpenChange(false);
    };
    addEventListener("keydown", onKey);
    return () => { removeEventListener("keydown", onKey); };
  }, [onOpenChange]);
  return (
    <div role="status" aria-label="Loading" data-loading className="fixed inset-0 z-40 flex items-center justify-center bg-scrim" onClick={() => { onOpenChange(false); }}>
      <LoaderCircle className="size-6 animate-spin text-ink-3" aria-hidden />
    </div>
  );
}
