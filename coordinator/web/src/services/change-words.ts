// Owns how a changed field and its values read: the API's names in words.
import type { AnalysisChange } from "../api/types";
import { plural, technology, words } from "../format/format";

const FIELDS: Record<string, string> = {
  health: "Health path",
  output_dir: "Output directory",
  package_manager: "Package manager",
  language_version: "Language version",
  route_prefix: "Public path",
  depends_on: "Calls",
  release: "Release command",
};

/** "env.TOKEN" → "Variable TOKEN", "dependencies.redis" → "Needs Redis". */
export function fieldName(field: string): string {
  if (field.startsWith("env.")) return `Variable ${field.slice(4)}`;
  if (field.startsWith("dependencies.")) return `Needs ${technology(field.slice(13))}`;
  const plain = words(field);
  return FIELDS[field] ?? plain.charAt(0).toUpperCase() + plain.slice(1);
}

const DOCKERFILE: Record<string, string> = {
  accept: "used as it is",
  repair: "repaired",
  replace: "replaced by ours",
  generate: "generated",
  missing: "nothing to build",
};

/** A value as a person reads it; none means that there is no such value. */
export function valueWord(field: string, value: string | null): string {
  if (value === null) return field === "dockerfile" ? "the text before" : field.startsWith("env.") || field.startsWith("dependencies.") ? "not there" : "none";
  if (field === "dockerfile") return DOCKERFILE[value] ?? value;
  if (field === "framework" || field === "language") return technology(value);
  return value;
}

/** "2 new services, 1 gone, 4 fields changed": what there is of each. */
export function summary(changes: AnalysisChange[]): string {
  const count = (kind: AnalysisChange["change"]) => changes.filter((change) => change.change === kind).length;
  const [added, removed, changed] = [count("added"), count("removed"), count("changed")];
  const parts = [added && plural(added, "new service"), removed && `${plural(removed, "service")} gone`, changed && `${plural(changed, "field")} changed`];
  return parts.filter((part) => part !== 0).join(", ") || "nothing changed";
}
