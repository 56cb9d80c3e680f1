// Owns the promise about interruptions, per service and with its reason.
import { Clock, Zap } from "lucide-react";
import type { InfrastructurePlan } from "../api/types";
import { seconds } from "../format/format";

export function Downtime({ plan }: { plan: InfrastructurePlan }) {
  return (
    <section className="mt-5">
      <h3 className="mb-2 text-sm font-semibold">Declared downtime</h3>
      <ul className="divide-y divide-line rounded-lg border border-line bg-surface">
        {plan.downtime.map((one) => {
          const Icon = one.seconds === 0 ? Zap : Clock;
          return (
            <li key={one.service} className="flex items-start gap-2.5 px-3 py-2 text-sm">
              <Icon className={`mt-0.5 size-4 shrink-0 ${one.seconds === 0 ? "text-ok" : "text-warn"}`} aria-hidden />
              <div className="min-w-0 flex-1">
                <p className="truncate font-medium" title={one.service}>{one.service}</p>
                <p className="text-xs break-words text-ink-2 first-letter:uppercase">{one.reason}</p>
              </div>
              <span className={`tnum font-medium whitespace-nowrap ${one.seconds === 0 ? "text-ok" : "text-warn"}`}>{seconds(one.seconds)}</span>
            </li>
          );
        })}
        {plan.downtime.length === 0 && <li className="px-3 py-2 text-sm text-ink-2">None: nothing that serves traffic is interrupted.</li>}
      </ul>
    </section>
  );
}
