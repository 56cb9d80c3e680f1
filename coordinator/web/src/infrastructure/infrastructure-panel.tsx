// Owns the Infrastructure panel: the newest plan or the one in the address, and the way to the first.
import { ServerCog } from "lucide-react";
import { usePlans } from "../api/plans";
import { useServers } from "../api/servers";
import { useServices } from "../api/services";
import { usePlaces } from "../project/places";
import { LinkButton } from "../ui/button";
import { Empty } from "../ui/empty";
import { ProblemNote } from "../ui/problem-note";
import { SkeletonList } from "../ui/skeleton";
import { PlanView } from "./plan-view";
import { ProposeButton } from "./propose-button";

export default function InfrastructurePanel({ project, plan: wanted }: { project: string; plan: string | undefined }) {
  const plans = usePlans(project);
  if (plans.isPending) return <div className="p-4"><SkeletonList rows={4} className="h-28" label="Loading plans" /></div>;
  if (plans.isError) return <ProblemNote error={plans.error} onRetry={() => void plans.refetch()} className="m-4" />;
  const shown = plans.data.find((one) => one.id === wanted) ?? plans.data[0];
  if (shown === undefined) return <NoPlan project={project} />;
  return <PlanView key={shown.id} plan={shown} plans={plans.data} project={project} />;
}

function NoPlan({ project }: { project: string }) {
  const { data: services = [] } = useServices(project);
  const { data: servers = [] } = useServers();
  const place = usePlaces(project);
  const accepted = services.filter((service) => service.state === "accepted");
  if (services.length === 0) {
    return (
      <Empty icon={ServerCog} title="No plan yet" action={<LinkButton to={place({})}>Connect a repository</LinkButton>}>
        <p>A plan says which service runs on which server and every step that gets it there. It starts with your code.</p>
      </Empty>
    );
  }
  if (accepted.length === 0) {
    return (
      <Empty icon={ServerCog} title="Accept services first" action={<LinkButton to={place({ panel: "services" })}>Review services</LinkButton>}>
        <p>Only accepted services go into a plan.</p>
      </Empty>
    );
  }
  if (servers.length === 0) {
    return (
      <Empty icon={ServerCog} title="No server to plan on" action={<LinkButton look="primary" to="/servers?adopt">Adopt a server</LinkButton>}>
        <p>Bring any Debian or Ubuntu machine. One command makes it join; no port has to be opened.</p>
      </Empty>
    );
  }
  return (
    <Empty icon={ServerCog} title="Ready to plan" action={<ProposeButton project={project} servers={servers} />}>
      <p>Hydron decides what runs where and writes down every step. Nothing is touched until you approve.</p>
    </Empty>
  );
}
