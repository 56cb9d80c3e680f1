// Owns the sentence that says what comes after the services: nothing missing means a plan can be made.
import { ArrowRight } from "lucide-react";
import { useNavigate } from "react-router";
import { usePlans, usePropose } from "../api/plans";
import type { Service } from "../api/types";
import { usePlaces } from "../project/places";
import { after } from "../ui/after";
import { Button } from "../ui/button";
import { sayProblem } from "../ui/toast";

export function NextStep({ services, project }: { services: Service[]; project: string }) {
  const plans = usePlans(project);
  const propose = usePropose(project);
  const navigate = useNavigate();
  const place = usePlaces(project);
  const accepted = services.filter((service) => service.state === "accepted");
  const waiting = services.some((service) => service.state === "pending");
  const missing = accepted.some((service) => service.missing.length > 0);
  if (accepted.length === 0 || waiting || missing || plans.data?.length !== 0) return null;
  const plan = () => {
    after(propose.mutateAsync([]), (made) => void navigate(place({ panel: "infrastructure", item: made.id })), sayProblem);
  };
  return (
    <div className="mb-3 flex flex-wrap items-center gap-3 rounded-lg border border-accent-line bg-accent-soft px-3 py-2.5 text-sm">
      <p className="min-w-0 flex-1">Everything is here. Next: a plan of what runs where, and every step to get there.</p>
      <Button look="primary" size="sm" icon={ArrowRight} busy={propose.isPending} onClick={plan}>
        Make a plan
      </Button>
    </div>
  );
}
