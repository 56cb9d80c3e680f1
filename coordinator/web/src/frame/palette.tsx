// Owns the command palette: every place and the common actions, found by typing.
import { Command } from "cmdk";
import { Boxes, FolderPlus, Keyboard, LogOut, type LucideIcon, MessageSquare, Moon, Play, ServerCog, Server, Settings, Sun } from "lucide-react";
import { Dialog as Radix } from "radix-ui";
import type { ReactNode } from "react";
import { useLocation, useNavigate } from "react-router";
import { useLogout } from "../api/account";
import { useProjects } from "../api/projects";
import { useServers } from "../api/servers";
import { useWayBack } from "../ui/opener";
import { PROJECT, serverLook, StatusIcon } from "../ui/status";
import { setTheme } from "../ui/theme";

export interface PaletteProps {
  onOpenChange: (open: boolean) => void;
  onHelp: () => void;
}

const GROUP = "[&_[cmdk-group-heading]]:px-2.5 [&_[cmdk-group-heading]]:pt-2 [&_[cmdk-group-heading]]:pb-1 [&_[cmdk-group-heading]]:text-xs [&_[cmdk-group-heading]]:text-ink-3";

export function Palette({ onOpenChange, onHelp }: PaletteProps) {
  const wayBack = useWayBack();
  const navigate = useNavigate();
  const logout = useLogout();
  const { data: projects = [] } = useProjects();
  const { data: servers = [] } = useServers();
  const here = /^\/projects\/([^/]+)/.exec(useLocation().pathname)?.[1];
  const current = projects.find((project) => project.id === here);
  const then = (act: () => void) => () => {
    onOpenChange(false);
    act();
  };
  const go = (to: string) => then(() => void navigate(to));

  return (
    <Radix.Root open onOpenChange={onOpenChange}>
      <Radix.Portal>
        <div className="fixed inset-0 z-40 bg-scrim" aria-hidden />
        <Radix.Content
          onCloseAutoFocus={wayBack}
          aria-describedby={undefined}
          className="fixed top-[12vh] left-1/2 z-50 w-[calc(100vw-1.5rem)] max-w-xl -translate-x-1/2 animate-rise overflow-hidden rounded-xl border border-line bg-raised shadow-2"
        >
          <Radix.Title className="sr-only">Command palette</Radix.Title>
          <Command label="Commands" loop>
            <Command.Input
              placeholder="Go to a project, a server, a setting, or do something…"
              className="h-12 w-full border-b border-line bg-transparent px-4 text-base text-ink outline-none placeholder:text-ink-3"
            />
            <Command.List className="max-h-[55vh] overflow-y-auto p-1.5">
              <Command.Empty className="px-3 py-8 text-center text-sm text-ink-2">Nothing by that name.</Command.Empty>
              {current && (
                <Command.Group heading={current.name} className={GROUP}>
                  <Item icon={MessageSquare} onSelect={go(`/projects/${current.id}`)}>Chat</Item>
                  <Item icon={Boxes} onSelect={go(`/projects/${current.id}/services`)}>Services</Item>
                  <Item icon={ServerCog} onSelect={go(`/projects/${current.id}/infrastructure`)}>Infrastructure</Item>
                  <Item icon={Play} onSelect={go(`/projects/${current.id}/runs`)}>Runs</Item>
                </Command.Group>
              )}
              <Command.Group heading="Projects" className={GROUP}>
                {projects.map((project) => (
                  <Item key={project.id} value={`${project.name} ${project.id}`} mark={<StatusIcon look={PROJECT[project.status]} />} onSelect={go(`/projects/${project.id}`)}>
                    {project.name}
                  </Item>
                ))}
                <Item icon={FolderPlus} onSelect={go("/?new")}>New project</Item>
              </Command.Group>
              <Command.Group heading="Servers" className={GROUP}>
                {servers.map((server) => (
                  <Item key={server.id} value={`${server.name} ${server.id}`} mark={<StatusIcon look={serverLook(server)} />} onSelect={go(`/servers/${server.id}`)}>
                    {server.name}
                  </Item>
                ))}
                <Item icon={Server} onSelect={go("/servers?adopt")}>Adopt a server</Item>
              </Command.Group>
              <Command.Group heading="More" className={GROUP}>
                <Item icon={Settings} onSelect={go("/settings/tokens")}>API tokens</Item>
                <Item icon={Settings} onSelect={go("/settings/audit")}>Audit trail</Item>
                <Item icon={Sun} onSelect={then(() => { setTheme("light"); })}>Light theme</Item>
                <Item icon={Moon} onSelect={then(() => { setTheme("dark"); })}>Dark theme</Item>
                <Item icon={Keyboard} onSelect={then(onHelp)}>Keyboard help</Item>
                <Item icon={LogOut} onSelect={then(() => { logout.mutate(); })}>Sign out</Item>
              </Command.Group>
            </Command.List>
          </Command>
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  );
}

interface ItemProps {
  icon?: LucideIcon;
  mark?: ReactNode;
  value?: string;
  onSelect: () => void;
  children: string;
}

function Item({ icon: Icon, mark, value, onSelect, children }: ItemProps) {
  return (
    <Command.Item
      value={value ?? children}
      onSelect={onSelect}
      className="flex h-9 cursor-pointer items-center gap-2.5 rounded-md px-2.5 text-sm text-ink data-[selected=true]:bg-hover"
    >
      {mark ?? (Icon && <Icon className="size-4 text-ink-3" aria-hidden />)}
      <span className="min-w-0 truncate">{children}</span>
    </Command.Item>
  );
}
