// Owns reading Markdown (CommonMark, and of GitHub's additions tables, strike-through, bare links and task lists) into a tree.
import { fromMarkdown } from "mdast-util-from-markdown";
import { gfmAutolinkLiteralFromMarkdown } from "mdast-util-gfm-autolink-literal";
import { gfmStrikethroughFromMarkdown } from "mdast-util-gfm-strikethrough";
import { gfmTableFromMarkdown } from "mdast-util-gfm-table";
import { gfmTaskListItemFromMarkdown } from "mdast-util-gfm-task-list-item";
import type { Definition, List, ListItem, Nodes, Root } from "mdast";
import { gfmAutolinkLiteral } from "micromark-extension-gfm-autolink-literal";
import { gfmStrikethrough } from "micromark-extension-gfm-strikethrough";
import { gfmTable } from "micromark-extension-gfm-table";
import { gfmTaskListItem } from "micromark-extension-gfm-task-list-item";

export interface Tree {
  root: Root;
  /** The address that stands behind the name of a reference. */
  address: (name: string) => string;
}

export function read(text: string): Tree {
  const root = fromMarkdown(text, {
    extensions: [gfmAutolinkLiteral(), gfmStrikethrough(), gfmTable(), gfmTaskListItem()],
    mdastExtensions: [gfmAutolinkLiteralFromMarkdown(), gfmStrikethroughFromMarkdown(), gfmTableFromMarkdown(), gfmTaskListItemFromMarkdown()],
  });
  const known = new Map<string, string>();
  collect(root, known);
  return { root, address: (name) => known.get(name.toUpperCase()) ?? "" };
}

/** Of two with one name the first counts. */
function collect(node: Nodes, known: Map<string, string>): void {
  if (node.type === "definition") note(node, known);
  else if ("children" in node) for (const child of node.children) collect(child, known);
}

function note({ identifier, url }: Definition, known: Map<string, string>): void {
  const name = identifier.toUpperCase();
  if (!known.has(name)) known.set(name, url);
}

/** Whether the items of a list stand apart, as paragraphs do. */
export function isLoose(list: List): boolean {
  return list.spread === true || list.children.some((item: ListItem) => item.spread ?? item.children.length > 1);
}

/** Blanks around a line's end are not part of what is said. */
export function trimmed(text: string): string {
  return text.replace(/[ \t]*(\r?\n|\r)[ \t]*/g, "$1");
}
