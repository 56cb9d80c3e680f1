// Owns the list of what one server is signed to do: every step, its risk in words, the whole digest.
import type { ProvisioningPlan } from "../api/types";
import { seconds } from "../format/format";
import { Badge } from "../ui/badge";
import { RiskBadge } from "./risk-badge";

export function ApprovalSteps({ plan, server }: { plan: ProvisioningPlan; server: string }) {
  return (
    <section className="mb-3 overflow-hidden rounded-lg border border-line">
      <h3 className="truncate bg-sunken px-3 py-2 text-sm font-semibold">{server}</h3>
      <ol className="divide-y divide-line border-y border-line" aria-label={`Steps on ${server}`}>
        {plan.steps.map((step) => (
          <li key={step.index} className="flex items-start gap-2 px-3 py-1.5 text-sm">
            <span className="tnum w-5 shrink-0 text-right text-xs leading-5 text-ink-3">{step.index + 1}</span>
            <span className="min-w-0 flex-1">
              <span className="break-words">{step.title}</span>
              <span className="block text-xs break-words text-ink-3">{step.summary}</span>
            </span>
            {step.downtime_s > 0 && <Badge tone="warn">{seconds(step.downtime_s)} down</Badge>}
            <RiskBadge risk={step.risk} />
          </li>
        ))}
      </ol>
      <p className="px-3 py-2 text-xs break-all text-ink-3">
        Digest <code className="text-ink-2">{plan.digest}</code>
      </p>
    </section>
  );
}
