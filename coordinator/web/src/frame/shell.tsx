// Owns the frame around every page: sidebar, palette, help, the team's event stream.
import { useMemo, useState } from "react";
import { Outlet, useLocation } from "react-router";
import { useSession } from "../api/account";
import { useTeamStream } from "../events/team";
import { useRest } from "../ui/later";
import { Help } from "./help";
import { PaletteHost } from "./palette-host";
import { Sidebar } from "./sidebar";
import { SidebarContext } from "./sidebar-state";
import { useShortcuts } from "./shortcuts";

export default function Shell() {
  const me = useSession();
  const [overlay, setOverlay] = useState<"none" | "palette" | "help">("none");
  const { key } = useLocation();
  // Open only on the page where it was opened: going somewhere closes it.
  const [openAt, setOpenAt] = useState<string | null>(null);
  const sidebar = useMemo(() => ({ open: openAt === key, setOpen: (open: boolean) => { setOpenAt(open ? key : null); } }), [key, openAt]);
  useTeamStream(me.team.id);
  useShortcuts(setOverlay);
  useRest();

  return (
    <SidebarContext value={sidebar}>
      <a href="#content" className="sr-only z-60 rounded-md bg-raised px-3 py-2 shadow-2 focus:not-sr-only focus:fixed focus:top-2 focus:left-2">
        Skip to content
      </a>
      <div className="flex h-full min-h-0">
        <Sidebar onSearch={() => { setOverlay("palette"); }} onHelp={() => { setOverlay("help"); }} />
        <div id="content" tabIndex={-1} className="flex min-w-0 flex-1 outline-none">
          <Outlet />
        </div>
      </div>
      <PaletteHost open={overlay === "palette"} onOpenChange={(is) => { setOverlay(is ? "palette" : "none"); }} onHelp={() => { setOverlay("help"); }} />
      <Help open={overlay === "help"} onOpenChange={(is) => { setOverlay(is ? "help" : "none"); }} />
    </SidebarContext>
  );
}
