// Owns copying: a button that says it worked, and a command line ready to be copied.
import { Check, Copy } from "lucide-react";
import { useEffect, useState } from "react";
import { IconButton } from "./button";

export function CopyButton({ text, label = "Copy" }: { text: string; label?: string }) {
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
        void navigator.clipboard.writeText(text).then(() => { setCopied(true); });
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
