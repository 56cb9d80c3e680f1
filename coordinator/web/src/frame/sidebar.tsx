// Owns the left side: team, search, projects with their recent chats, servers, settings. A rail where room is short.
import { clsx } from "clsx";
import { CircleHelp, LayoutGrid, type LucideIcon, Search, Server, Settings, X } from "lucide-react";
import { useContext, useEffect } from "react";
import { NavLink } from "react-router";
import { useStreamState } from "../events/team";
import { Kbd } from "../ui/badge";
import { Mark } from "../ui/brand";
import { IconButton } from "../ui/button";
import { SidebarContext } from "./sidebar-state";
import { SidebarProjects } from "./sidebar-projects";
import { TeamMenu } from "./team-menu";
import { UserMenu } from "./user-menu";

export function Sidebar({ onSearch, onHelp }: { onSearch: () => void; onHelp: () => void }) {
  const { open, setOpen } = useContext(SidebarContext);
  useEffect(() => {
    if (!open) return;
    const onKey = (event: KeyboardEvent) => {
      if (event.key === "Escape") setOpen(false);
    };
    addEventListener("keydown", onKey);
    return () => { removeEventListener("keydown", onKey); };
  }, [open, setOpen]);

  return (
    <>
      {open && <div className="fixed inset-0 z-30 bg-scrim md:hidden" aria-hidden onClick={() => { setOpen(false); }} />}
      <nav
        aria-label="Main"
        className={clsx(
          "z-30 flex shrink-0 flex-col border-r border-line bg-sunken",
          "max-md:fixed max-md:inset-y-0 max-md:left-0 max-md:w-72 max-md:shadow-2",
          open ? "max-md:flex" : "max-md:hidden",
          "md:w-14 xl:w-60",
        )}
      >
        <div className="flex h-13 items-center gap-2 px-3.5 md:max-xl:justify-center">
          <NavLink to="/" aria-label="Hydron, all projects" className="shrink-0">
            <Mark />
          </NavLink>
          <div className="min-w-0 flex-1 md:max-xl:hidden">
            <TeamMenu />
          </div>
          <IconButton icon={X} label="Close navigation" className="md:hidden" onClick={() => { setOpen(false); }} />
        </div>
        <div className="space-y-0.5 px-2">
          <button
            type="button"
            onClick={onSearch}
            className="mb-2 flex h-8 w-full items-center gap-2 rounded-md border border-line-strong bg-surface px-2 text-sm text-ink-3 shadow-1 hover:border-ink-3 md:max-xl:justify-center md:max-xl:border-0 md:max-xl:bg-transparent md:max-xl:shadow-none"
          >
            <Search className="size-4 shrink-0" aria-hidden />
            <span className="flex-1 text-left md:max-xl:sr-only">
              Search<span className="sr-only"> and commands</span>
            </span>
            <span className="flex gap-0.5 md:max-xl:hidden" aria-hidden>
              <Kbd>Ctrl</Kbd>
              <Kbd>K</Kbd>
            </span>
          </button>
          <Entry to="/" icon={LayoutGrid} end>Projects</Entry>
          <Entry to="/servers" icon={Server}>Servers</Entry>
          <Entry to="/settings" icon={Settings}>Settings</Entry>
        </div>
        <div className="mt-4 min-h-0 flex-1 overflow-y-auto px-2 pb-2 md:max-xl:invisible">
          <SidebarProjects />
        </div>
        <Connection />
        <div className="flex items-center gap-1 border-t border-line p-2 md:max-xl:flex-col">
          <UserMenu />
          <IconButton icon={CircleHelp} label="Keyboard help" onClick={onHelp} />
        </div>
      </nav>
    </>
  );
}

function Entry({ to, icon: Icon, end = false, children }: { to: string; icon: LucideIcon; end?: boolean; children: string }) {
  return (
    <NavLink
      to={to}
      end={end}
      title={children}
      className={({ isActive }) =>
        clsx(
          "flex h-8 items-center gap-2.5 rounded-md px-2 text-sm font-medium md:max-xl:justify-center",
          isActive ? "bg-hover text-ink" : "text-ink-2 hover:bg-hover hover:text-ink",
        )
      }
    >
      <Icon className="size-4 shrink-0" aria-hidden />
      <span className="md:max-xl:sr-only">{children}</span>
    </NavLink>
  );
}

/** Says when what is on screen may be old. */
function Connection() {
  const state = useStreamState();
  const away = state === "waiting" || state === "closed";
  return (
    <div role="status" className="px-2">
      {away && (
        <p className="mb-2 flex items-center gap-2 rounded-md bg-warn-soft px-2 py-1.5 text-xs text-warn">
          <span className="size-2 shrink-0 rounded-full bg-warn-strong" aria-hidden />
          <span className="md:max-xl:sr-only">Live updates lost. Trying again…</span>
        </p>
      )}
    </div>
  );
}
