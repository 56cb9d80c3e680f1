// Owns what a reading says about the Dockerfiles of a repository, service by service: only where there is something to say.
import { useState } from "react";
import type { Analysis } from "../api/types";
import { plural } from "../format/format";
import { Fold } from "../ui/fold";
import { Verdict, VerdictBadge } from "./dockerfile-verdict";

const FIRST = 3;

type Found = NonNullable<Analysis["result"]>["services"];

export function DockerfileNotes({ services }: { services: Found }) {
  const [all, setAll] = useState(false);
  const telling = services.filter(({ dockerfile }) => dockerfile.diff !== null || dockerfile.reasons.length > 0);
  if (telling.length === 0) return null;
  const shown = all ? telling : telling.slice(0, FIRST);
  return (
    <div className="mt-3">
      {shown.map(({ name, dockerfile }) => (
        <Fold key={name} title={`Dockerfile of ${name}`} aside={<VerdictBadge verdict={dockerfile.verdict} />} open={telling.length === 1}>
          <Verdict said={dockerfile} service={name} />
        </Fold>
      ))}
      {telling.length > shown.length && (
        <button type="button" onClick={() => { setAll(true); }} className="mt-1 text-xs font-medium text-accent hover:underline">
          Show {plural(telling.length - shown.length, "more Dockerfile")}
        </button>
      )}
    </div>
  );
}
