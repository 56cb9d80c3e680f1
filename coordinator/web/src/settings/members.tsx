// Owns the list of people in the team and what each may do.
import { useMembers, useSession } from "../api/account";
import type { Role } from "../api/types";
import { Badge } from "../ui/badge";
import { ProblemNote } from "../ui/problem-note";
import { SkeletonList } from "../ui/skeleton";

const MAY: Record<Role, string> = {
  owner: "Everything, also what cannot be undone or costs money",
  admin: "Approves up to security-relevant steps",
  developer: "Deploys inside projects",
  viewer: "Looks, approves nothing",
};

export function Members() {
  const { team } = useSession();
  const members = useMembers(team.id);
  if (members.isPending) return <SkeletonList rows={3} className="h-12" label="Loading members" />;
  if (members.isError) return <ProblemNote error={members.error} onRetry={() => void members.refetch()} />;
  return (
    <ul className="divide-y divide-line rounded-lg border border-line bg-surface shadow-1">
      {members.data.map((member) => (
        <li key={member.user_id} className="flex items-center gap-3 px-4 py-2.5 text-sm">
          <div className="min-w-0 flex-1">
            <p className="truncate font-medium">{member.name}</p>
            <p className="truncate text-xs text-ink-3">{member.email}</p>
          </div>
          <span className="text-xs text-ink-3 max-sm:hidden">{MAY[member.role]}</span>
          <Badge>{member.role}</Badge>
        </li>
      ))}
    </ul>
  );
}
