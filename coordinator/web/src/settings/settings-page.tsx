// Owns the settings: tokens, members, the audit trail, how it looks.
import { clsx } from "clsx";
import { Link, Navigate, useParams } from "react-router";
import { useSession } from "../api/account";
import { Page } from "../frame/page";
import { Appearance } from "./appearance";
import { Audit } from "./audit";
import { Members } from "./members";
import { Tokens } from "./tokens";

const SECTIONS = [
  ["tokens", "API tokens"],
  ["members", "Members"],
  ["audit", "Audit trail"],
  ["appearance", "Appearance"],
] as const;

export default function SettingsPage() {
  const { section } = useParams();
  const { team } = useSession();
  if (section === undefined) return <Navigate to="/settings/tokens" replace />;
  return (
    <Page title="Settings" lead={team.name}>
      <nav aria-label="Settings" className="mb-6 flex gap-1 overflow-x-auto border-b border-line">
        {SECTIONS.map(([name, label]) => (
          <Link
            key={name}
            to={`/settings/${name}`}
            aria-current={name === section ? "page" : undefined}
            className={clsx("-mb-px flex h-9 items-center border-b-2 px-3 text-sm font-medium whitespace-nowrap", name === section ? "border-accent text-ink" : "border-transparent text-ink-2 hover:text-ink")}
          >
            {label}
          </Link>
        ))}
      </nav>
      {section === "tokens" && <Tokens />}
      {section === "members" && <Members />}
      {section === "audit" && <Audit />}
      {section === "appearance" && <Appearance />}
    </Page>
  );
}
