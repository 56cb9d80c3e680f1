// Owns the line to write in: Enter sends, Shift+Enter breaks the line.
import { ArrowUp } from "lucide-react";
import { type FormEvent, type KeyboardEvent, useState } from "react";

interface ComposerProps {
  disabled: boolean;
  busy: boolean;
  onSend: (text: string) => void;
}

export function Composer({ disabled, busy, onSend }: ComposerProps) {
  const [text, setText] = useState("");
  const ready = !disabled && !busy && text.trim() !== "";
  const send = (event?: FormEvent) => {
    event?.preventDefault();
    if (!ready) return;
    onSend(text.trim());
    setText("");
  };
  const onKeyDown = (event: KeyboardEvent<HTMLTextAreaElement>) => {
    if (event.key === "Enter" && !event.shiftKey && !event.nativeEvent.isComposing) {
      event.preventDefault();
      send();
    } else if (event.key === "Escape") event.currentTarget.blur();
  };
  return (
    <form onSubmit={send} className="flex items-end gap-2 rounded-xl border border-line-strong bg-surface p-1.5 pl-3 shadow-1 focus-within:border-accent focus-within:ring-1 focus-within:ring-accent">
      <textarea
        data-composer
        aria-label="Message"
        rows={1}
        value={text}
        maxLength={8000}
        placeholder="Ask, or say what to do: “deploy https://…”, “redeploy”, “roll back”"
        onChange={(event) => { setText(event.target.value); }}
        onKeyDown={onKeyDown}
        className="field-sizing-content max-h-48 min-h-8 w-full resize-none bg-transparent py-1.5 text-base text-ink outline-none placeholder:text-ink-3"
      />
      <button
        type="submit"
        disabled={!ready}
        aria-label="Send"
        title="Send (Enter)"
        className="flex size-8 shrink-0 items-center justify-center rounded-lg bg-primary text-on-primary enabled:hover:bg-primary-hover disabled:bg-idle-soft disabled:text-idle"
      >
        <ArrowUp className="size-4" aria-hidden />
      </button>
    </form>
  );
}
