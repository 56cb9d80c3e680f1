// Owns the bounds of later releases in plain words: what a redeploy may do without a new approval, and what it may not.
import type { Mandate } from "../api/types";
import { date, list, words } from "../format/format";

export function MandateList({ mandates }: { mandates: Mandate[] }) {
  return (
    <div className="space-y-3 pl-5.5 text-sm">
      <p className="text-ink-2">
        Inside these bounds a redeploy needs no new approval. Anything outside asks you. A stolen coordinator could deploy any commit of the
        repository named here, and nothing else.
      </p>
      <ul className="space-y-2">
        {mandates.map((mandate) => (
          <li key={mandate.service} className="min-w-0">
            <p className="font-medium">{mandate.name}</p>
            <p className="text-xs break-words text-ink-2">
              {source(mandate)}. Valid until {date(mandate.valid_until_unix_ms)}.
            </p>
          </li>
        ))}
      </ul>
    </div>
  );
}

function source(mandate: Mandate): string {
  const [kind, fields] = Object.entries(mandate.source)[0] ?? ["", {}];
  const text = (name: string) => (typeof fields[name] === "string" ? fields[name] : "");
  switch (kind) {
    case "git":
      return `Any commit of ${text("reference")} in ${text("url")}`;
    case "image":
      return `Any tag of ${text("repository")}`;
    case "dockerfile":
      return "The Dockerfile of this plan, built again";
    default:
      return list([words(kind)]);
  }
}
