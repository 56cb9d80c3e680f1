// Owns a digest on screen: short enough to read, whole when copied.
import { Fingerprint } from "lucide-react";
import { shortDigest } from "../format/format";
import { CopyButton } from "../ui/copy";

export function DigestLine({ digest, label = "Digest" }: { digest: string; label?: string }) {
  return (
    <span className="inline-flex items-center gap-1 text-xs text-ink-3" title={digest}>
      <Fingerprint className="size-3.5" aria-hidden />
      {label} <code className="text-ink-2">{shortDigest(digest)}</code>
      <CopyButton text={digest} label={`Copy ${label.toLowerCase()}`} />
    </span>
  );
}
