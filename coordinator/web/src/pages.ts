// Owns which code belongs to which address. What the first address shows is asked for at once, beside the question who is
// here, and not one after the other as each piece names the next.
import { lazy } from "react";

const setup = () => import("./setup/setup-page");
const signIn = () => import("./signin/sign-in-page");
const shell = () => import("./frame/shell");
const projects = () => import("./projects/projects-page");
const project = () => import("./project/project-page");
const servers = () => import("./servers/servers-page");
const server = () => import("./servers/server-page");
const settings = () => import("./settings/settings-page");
const services = () => import("./services/services-panel");
const infrastructure = () => import("./infrastructure/infrastructure-panel");
const runs = () => import("./runs/runs-panel");

export const Setup = lazy(setup);
export const SignIn = lazy(signIn);
export const Shell = lazy(shell);
export const Projects = lazy(projects);
export const Project = lazy(project);
export const Servers = lazy(servers);
export const Server = lazy(server);
export const Settings = lazy(settings);
export const NotFound = lazy(() => import("./frame/not-found"));
export const Services = lazy(services);
export const Infrastructure = lazy(infrastructure);
export const Runs = lazy(runs);

/** What an address shows, from the outside in. */
function pieces(path: string): (() => Promise<unknown>)[] {
  const [first = "", second, third] = path.split("/").filter((part) => part !== "");
  switch (first) {
    case "setup":
      return [setup];
    case "signin":
      return [signIn];
    case "":
      return [shell, projects];
    case "projects":
      return [shell, project, third === "runs" ? runs : third === "infrastructure" ? infrastructure : services];
    case "servers":
      return [shell, second === undefined ? servers : server];
    case "settings":
      return [shell, settings];
    default:
      return [shell];
  }
}

/** What cannot come now is asked for again by what needs it, and said there. */
export function ahead(path: string): void {
  for (const load of pieces(path)) load().catch(() => undefined);
}
