// Owns the Services panel: the list, or one service.
import { useServices } from "../api/services";
import { ProblemNote } from "../ui/problem-note";
import { SkeletonList } from "../ui/skeleton";
import { ServiceList } from "./service-list";
import { ServiceView } from "./service-view";

export default function ServicesPanel({ project, service }: { project: string; service: string | undefined }) {
  const services = useServices(project);
  if (services.isPending) return <div className="p-4"><SkeletonList rows={3} className="h-32" label="Loading services" /></div>;
  if (services.isError) return <ProblemNote error={services.error} onRetry={() => void services.refetch()} className="m-4" />;
  if (service === undefined) return <ServiceList services={services.data} project={project} />;
  return <ServiceView key={service} service={services.data.find((one) => one.id === service)} project={project} />;
}
