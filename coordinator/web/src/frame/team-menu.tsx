// Owns switching teams. Another team is another world: everything is loaded anew.
import { Check, ChevronsUpDown } from "lucide-react";
import { useSession } from "../api/account";
import { chooseTeam } from "../api/team";
import { Menu, MenuItem, MenuLabel } from "../ui/menu";

export function TeamMenu() {
  const { team, teams } = useSession();
  if (teams.length < 2) {
    return (
      <p className="truncate text-sm font-semibold" title={team.name}>
        {team.name}
      </p>
    );
  }
  return (
    <Menu
      align="start"
      trigger={
        <button type="button" className="flex h-8 w-full items-center gap-1 rounded-md px-1.5 text-left text-sm font-semibold hover:bg-hover">
          <span className="min-w-0 flex-1 truncate">{team.name}</span>
          <ChevronsUpDown className="size-3.5 shrink-0 text-ink-3" aria-hidden />
          <span className="sr-only">Switch team</span>
        </button>
      }
    >
      <MenuLabel>Teams</MenuLabel>
      {teams.map((one) => (
        <MenuItem
          key={one.id}
          checked={one.id === team.id}
          {...(one.id === team.id ? { icon: Check } : {})}
          onSelect={() => {
            chooseTeam(one.id);
            location.assign("/");
          }}
        >
          {one.name}
        </MenuItem>
      ))}
    </Menu>
  );
}
