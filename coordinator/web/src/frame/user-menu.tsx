// Owns the person: who is signed in, the theme, the way out.
import { LogOut, Monitor, Moon, Settings, Sun } from "lucide-react";
import { useNavigate } from "react-router";
import { useLogout, useSession } from "../api/account";
import { Menu, MenuItem, MenuLabel, MenuLine } from "../ui/menu";
import { setTheme, useTheme } from "../ui/theme";

export function UserMenu() {
  const { user, team } = useSession();
  const theme = useTheme();
  const navigate = useNavigate();
  const logout = useLogout();
  const initials = user.name
    .split(/\s+/)
    .slice(0, 2)
    .map((word) => word.charAt(0).toUpperCase())
    .join("");
  return (
    <Menu
      align="start"
      trigger={
        <button type="button" className="flex h-9 min-w-0 flex-1 items-center gap-2 rounded-md px-1.5 text-left hover:bg-hover">
          <span className="flex size-6 shrink-0 items-center justify-center rounded-full bg-accent-soft text-[11px] font-semibold text-accent" aria-hidden>
            {initials}
          </span>
          <span className="sr-only">Account of </span>
          <span className="min-w-0 truncate text-sm md:max-xl:sr-only">{user.name}</span>
        </button>
      }
    >
      <MenuLabel>
        {user.email} · {team.role}
      </MenuLabel>
      <MenuItem icon={Settings} onSelect={() => void navigate("/settings")}>
        Settings
      </MenuItem>
      <MenuLine />
      <MenuLabel>Theme</MenuLabel>
      <MenuItem icon={Sun} checked={theme === "light"} onSelect={() => { setTheme("light"); }}>Light</MenuItem>
      <MenuItem icon={Moon} checked={theme === "dark"} onSelect={() => { setTheme("dark"); }}>Dark</MenuItem>
      <MenuItem icon={Monitor} checked={theme === "system"} onSelect={() => { setTheme("system"); }}>As the system</MenuItem>
      <MenuLine />
      <MenuItem icon={LogOut} onSelect={() => { logout.mutate(); }}>Sign out</MenuItem>
    </Menu>
  );
}
