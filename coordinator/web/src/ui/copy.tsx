// Owns copying: a button that says it worked, and a command line ready to be copied.
import { Check, Copy } from "lucide-react";
import { useEffect, useState } from "react";
import { IconButton } from "./button";

/** `text` may also be made when it is wanted: what is long is not kept ready. */
export function CopyButton({ text, label = "Copy" }: { text: string | (() => Promise<Blob>); label?: string }) {
  const [copied, setCopied] = useState(false);
  useEffect(() => {
    if (!copied) return;
    const timer = setTimeout(() => { setCopied(false); }, 1600);
    return () => { clearTimeout(timer); };
  }, [copied]);
  return (
    <IconButton
      icon={copied ? Check : Copy}
      label={copied ? "Copied" : label}
      onClick={() => {
        // A browser lets a click copy, also what is ready only after a while: if it is told at once that it will come.
        const done = typeof text === "string" ? navigator.clipboard.writeText(text) : navigator.clipboard.write([new ClipboardItem({ "text/plain": text() })]);
        // Who leaves before it is ready, or may not copy here, is not told that it worked.
        done.then(() => { setCopied(true); }, () => undefined);
      }}
    />
  );
}

/** Text to take somewhere else: a command, a token, a digest. Selects as a whole. */
export function CopyBox({ text, label }: { text: string; label: string }) {
  return (
    <div className="flex items-start gap-1 rounded-md border border-line bg-sunken py-1 pr-1 pl-2.5">
      <code className="min-w-0 flex-1 py-1 text-xs break-all whitespace-pre-wrap text-ink select-all">{text}</code>
      <CopyButton text={text} label={label} />
    </div>
  );
}
