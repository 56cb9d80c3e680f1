// Owns whether the sidebar is open on narrow screens.
import { Menu } from "lucide-react";
import { createContext, useContext } from "react";
import { IconButton } from "../ui/button";

export interface SidebarState {
  open: boolean;
  setOpen: (open: boolean) => void;
}
export const SidebarContext = createContext<SidebarState>({ open: false, setOpen: () => undefined });

/** The button that brings the sidebar where there is no room for it. */
export function MenuToggle() {
  const { setOpen } = useContext(SidebarContext);
  return <IconButton icon={Menu} label="Open navigation" className="-ml-1.5 md:hidden" onClick={() => { setOpen(true); }} />;
}
