// Owns the question before something that cannot be taken back: it says what will happen, and the button repeats it.
import { type ReactNode, useState } from "react";
import { Button } from "./button";
import { Dialog } from "./dialog";
import { Field, Input } from "./field";
import { ProblemNote } from "./problem-note";

interface ConfirmProps {
  open: boolean;
  onOpenChange: (open: boolean) => void;
  title: string;
  children: ReactNode;
  action: string;
  /** When given, must be typed before the button works. */
  phrase?: string;
  busy: boolean;
  error: unknown;
  onConfirm: () => void;
}

export function Confirm({ open, onOpenChange, title, children, action, phrase, busy, error, onConfirm }: ConfirmProps) {
  const [typed, setTyped] = useState("");
  const ready = phrase === undefined || typed === phrase;
  return (
    <Dialog
      open={open}
      onOpenChange={onOpenChange}
      title={title}
      footer={
        <>
          <Button onClick={() => { onOpenChange(false); }}>Cancel</Button>
          <Button look="danger" disabled={!ready} busy={busy} onClick={onConfirm}>
            {action}
          </Button>
        </>
      }
    >
      <div className="space-y-3 text-sm text-ink-2">
        {children}
        {phrase !== undefined && (
          <Field label={`Type “${phrase}” to confirm`}>
            <Input value={typed} onChange={(event) => { setTyped(event.target.value); }} autoComplete="off" spellCheck={false} />
          </Field>
        )}
        {error !== null && error !== undefined && <ProblemNote error={error} />}
      </div>
    </Dialog>
  );
}
