// Owns what was decided about the Dockerfile of a service: the verdict in words, every reason, and a repair as a diff.
import { CircleCheck, FilePlus2, type LucideIcon, Replace, TriangleAlert, Wrench } from "lucide-react";
import type { DockerfileVerdict } from "../api/types";
import { Badge } from "../ui/badge";
import { DiffView } from "../ui/diff-view";
import { TEXT, type Tone } from "../ui/tone";

interface Said {
  word: string;
  tone: Tone;
  icon: LucideIcon;
  sentence: string;
}

export const VERDICT: Record<DockerfileVerdict, Said> = {
  accept: { word: "own Dockerfile", tone: "ok", icon: CircleCheck, sentence: "The repository’s own file is built as it is." },
  repair: { word: "repaired Dockerfile", tone: "warn", icon: Wrench, sentence: "The repository’s own file is built with the changes below. The repository itself stays as it is." },
  replace: { word: "replaced Dockerfile", tone: "warn", icon: Replace, sentence: "The repository’s own file is not fit for production. One written for this service is built instead." },
  generate: { word: "generated Dockerfile", tone: "idle", icon: FilePlus2, sentence: "The repository has none for it. Written for this service: several stages, no root, a cache for dependencies." },
  missing: { word: "no Dockerfile", tone: "bad", icon: TriangleAlert, sentence: "Nothing can be built yet. Add a Dockerfile to the repository, or write one for the service here." },
};

export interface DockerfileSaid {
  verdict: DockerfileVerdict;
  path: string | null;
  reasons: string[];
  diff: string | null;
}

export function VerdictBadge({ verdict }: { verdict: DockerfileVerdict }) {
  const { icon, tone, word } = VERDICT[verdict];
  return <Badge icon={icon} tone={tone}>{word}</Badge>;
}

export function Verdict({ said, service }: { said: DockerfileSaid; service: string }) {
  const { icon: Icon, tone, sentence } = VERDICT[said.verdict];
  return (
    <div className="text-sm">
      <div className="flex items-start gap-2 text-ink-2">
        <Icon className={`mt-0.5 size-4 shrink-0 ${TEXT[tone]}`} aria-hidden />
        <p className="min-w-0 flex-1">
          {sentence} {said.path && !said.diff && <code className="text-xs break-all">{said.path}</code>}
        </p>
      </div>
      {said.reasons.length > 0 && (
        <ul aria-label="Reasons" className="mt-1.5 list-disc space-y-0.5 pl-10 text-ink marker:text-ink-3">
          {said.reasons.map((reason) => <li key={reason} className="break-words"><Quoting text={sentenceOf(reason)} /></li>)}
        </ul>
      )}
      {said.diff && (
        <div className="mt-2.5">
          <DiffView diff={said.diff} title={said.path ?? "Dockerfile"} label={`Changes to the Dockerfile of ${service}`} />
        </div>
      )}
    </div>
  );
}

/** What stands between backticks is code. */
function Quoting({ text }: { text: string }) {
  return text.split("`").map((part, at) => (at % 2 === 0 ? part : <code key={at} className="text-xs">{part}</code>));
}

function sentenceOf(reason: string): string {
  return reason.charAt(0).toUpperCase() + reason.slice(1) + (/[.!?]$/.test(reason) ? "" : ".");
}
