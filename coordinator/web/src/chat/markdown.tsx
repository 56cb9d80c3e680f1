// Owns Markdown from the assistant, which may quote a stranger's repository: an allow-list of elements, no raw HTML,
// no images, and links only where their full address can be read. The tree becomes React's elements and nothing else.
import type { Blockquote, Nodes, Parents, Table } from "mdast";
import { normalizeUri } from "micromark-util-sanitize-uri";
import { createElement, Fragment, type ReactNode } from "react";
import { isLoose, read, trimmed, type Tree } from "./markdown-tree";

export default function Markdown({ text }: { text: string }) {
  const tree = read(text);
  return (
    <div className="space-y-2 text-base break-words text-ink [&_blockquote]:border-l-2 [&_blockquote]:border-line-strong [&_blockquote]:pl-3 [&_blockquote]:text-ink-2 [&_ol]:list-decimal [&_ol]:pl-5 [&_ul]:list-disc [&_ul]:pl-5">
      {inside(tree.root, tree)}
    </div>
  );
}

function inside(node: Parents, tree: Tree): ReactNode[] {
  return node.children.map((child, index) => <Fragment key={index}>{shown(child, tree)}</Fragment>);
}

/** What has no place here is left out; nothing of it becomes text that looks like the assistant's own. */
function shown(node: Nodes, tree: Tree): ReactNode {
  switch (node.type) {
    case "text":
      return trimmed(node.value);
    case "paragraph":
      return <p>{inside(node, tree)}</p>;
    case "heading":
      return node.depth > 3 ? <>{"\n"}{inside(node, tree)}{"\n"}</> : <p className={node.depth === 1 ? "text-lg font-semibold" : "font-semibold"}>{inside(node, tree)}</p>;
    case "strong":
      return <strong>{inside(node, tree)}</strong>;
    case "emphasis":
      return <em>{inside(node, tree)}</em>;
    case "delete":
      return <del>{inside(node, tree)}</del>;
    case "inlineCode":
      return <Code>{node.value.replace(/\r?\n|\r/g, " ")}</Code>;
    case "code":
      return (
        <pre tabIndex={0} className="overflow-x-auto rounded-md border border-line bg-log p-3 text-xs [&_code]:bg-transparent [&_code]:p-0">
          <Code>{node.value === "" ? "" : `${node.value}\n`}</Code>
        </pre>
      );
    case "link":
      return <Away address={node.url}>{inside(node, tree)}</Away>;
    case "linkReference":
      return <Away address={tree.address(node.identifier)}>{inside(node, tree)}</Away>;
    case "list":
      return createElement(
        node.ordered === true ? "ol" : "ul",
        node.ordered === true && typeof node.start === "number" && node.start !== 1 ? { start: node.start } : null,
        node.children.map((item, index) => <li key={index}>{isLoose(node) ? inside(item, tree) : tight(item.children, tree)}</li>),
      );
    case "blockquote":
      return <blockquote>{inside(node, tree)}</blockquote>;
    case "break":
      return <><br />{"\n"}</>;
    case "thematicBreak":
      return <hr />;
    case "table":
      return <Cells table={node} tree={tree} />;
    case "root":
    case "listItem":
    case "tableRow":
    case "tableCell":
      return inside(node, tree);
    case "definition":
    case "footnoteDefinition":
    case "footnoteReference":
    case "html":
    case "image":
    case "imageReference":
    case "yaml":
      return null;
  }
}

/** In a list whose items stand close together, a paragraph is a line. */
function tight(children: Blockquote["children"], tree: Tree): ReactNode[] {
  return children.map((child, index) => (
    <Fragment key={index}>
      {index > 0 && "\n"}
      {child.type === "paragraph" ? inside(child, tree) : shown(child, tree)}
    </Fragment>
  ));
}

function Code({ children }: { children: string }) {
  return <code className="rounded bg-idle-soft px-1 py-0.5 text-[0.85em]">{children}</code>;
}

function Away({ address, children }: { address: string; children: ReactNode }) {
  const url = normalizeUri(address);
  if (!/^https?:\/\//i.test(url) && !/^\/(?!\/)/.test(url)) return <span>{children}</span>;
  return (
    <a href={url} target="_blank" rel="noreferrer noopener nofollow" title={url} className="text-accent underline underline-offset-2">
      {children}
    </a>
  );
}

function Cells({ table, tree }: { table: Table; tree: Tree }) {
  const align = table.align ?? [];
  const [head, ...rows] = table.children.map((row, index) => (
    <tr key={index}>
      {align.map((textAlign, column) => {
        const cell = row.children[column];
        return createElement(index === 0 ? "th" : "td", { key: column, style: textAlign ? { textAlign } : undefined }, cell && inside(cell, tree));
      })}
    </tr>
  ));
  return (
    <div className="overflow-x-auto">
      <table className="text-sm [&_td]:border-t [&_td]:border-line [&_td]:py-1 [&_td]:pr-4 [&_th]:py-1 [&_th]:pr-4 [&_th]:text-left">
        <thead>{head}</thead>
        {rows.length > 0 && <tbody>{rows}</tbody>}
      </table>
    </div>
  );
}
