import { cleanup, render } from "@testing-library/react";
import { afterEach, expect, it } from "vitest";
import Markdown from "./markdown";

afterEach(cleanup);

const PAYLOADS = [
  "<script>window.pwned=1</script>",
  '<img src=x onerror="window.pwned=1">',
  "![pixel](https://evil.example/p.png)",
  "[x](javascript:window.pwned=1)",
  "[x](data:text/html,<script>1</script>)",
  "[x](vbscript:1)",
  "[x](//evil.example)",
  "<iframe src='https://evil.example'></iframe>",
  "<svg onload=1>",
  "<style>*{display:none}</style>",
  "[x]: javascript:1\n\n[x]",
  "<a href='javascript:1'>x</a>",
  "![x][y]\n\n[y]: https://evil.example/q.png",
  "<https://evil.example/%0d%0aX>",
  "- [ ] <input autofocus onfocus=1>",
];

it.each(PAYLOADS)("shows %s as harmless text", (payload) => {
  const { container } = render(<Markdown text={payload} />);
  expect(container.querySelectorAll("script, img, iframe, svg, style, input, object, embed, form, link, meta")).toHaveLength(0);
  for (const link of container.querySelectorAll("a")) expect(link.getAttribute("href")).toMatch(/^https?:\/\/|^\/(?!\/)/);
  for (const element of container.querySelectorAll("*")) {
    for (const { name } of element.attributes) expect(name).not.toMatch(/^on/);
  }
});

it("keeps what the assistant needs: emphasis, code, lists, tables, plain links", () => {
  const { container } = render(<Markdown text={"**b** `c`\n\n- one\n\n[site](https://example.org)\n\n| a |\n|---|\n| 1 |"} />);
  expect(container.querySelector("strong")?.textContent).toBe("b");
  expect(container.querySelector("code")?.textContent).toBe("c");
  expect(container.querySelector("a")?.getAttribute("rel")).toContain("noopener");
  expect(container.querySelector("td")?.textContent).toBe("1");
});

it.each([
  ["- a\n- b\n  1. c", "<ul><li>a</li><li>b<ol><li>c</li></ol></li></ul>"],
  ["3. a\n\n   more\n4. b", '<ol start="3"><li><p>a</p><p>more</p></li><li><p>b</p></li></ol>'],
  ["# one\n#### *four*", "<p>one</p><em>four</em> "],
  ["> q\n\n---\nline  \nnext \n  ~~gone~~", "<blockquote><p>q</p></blockquote><hr><p>line<br>next <del>gone</del></p>"],
  ["```js\n<b>\n```\n`a\nb`", '<pre tabindex="0"><code>&lt;b&gt;</code></pre><p><code>a b</code></p>'],
  ["| a | b |\n|:-:|---|\n| 1 |", '<div><table><thead><tr><th style="text-align: center;">a</th><th>b</th></tr></thead><tbody><tr><td style="text-align: center;">1</td><td></td></tr></tbody></table></div>'],
  ["- [x] done", "<ul><li>done</li></ul>"],
  ["[b](#c) ![i][one] <b>raw</b>\n\n[one]: /x", "<p><span>b</span> raw</p>"],
])("makes of %j what CommonMark and GitHub make of it", (text, html) => {
  const { container } = render(<Markdown text={text} />);
  expect(bare(container.firstElementChild?.innerHTML ?? "")).toBe(html);
});

it("leads where the first of two references leads, and shows the address as it will be asked for", () => {
  const { container } = render(<Markdown text={"[a][one] <https://e.example/ü> www.e.example\n\n[one]: /x\n[ONE]: /second"} />);
  expect([...container.querySelectorAll("a")].map((link) => [link.getAttribute("href"), link.title])).toEqual([
    ["/x", "/x"],
    ["https://e.example/%C3%BC", "https://e.example/%C3%BC"],
    ["http://www.e.example", "http://www.e.example"],
  ]);
});

/** Without what only looks: classes, and more than one blank. */
const bare = (html: string) => html.replace(/ class="[^"]*"/g, "").replace(/\s+/g, " ").replace(/ ?(<\/?(?:p|pre|ul|ol|li|br|hr|div|blockquote|table)\b[^>]*>) ?/g, "$1").replace(/ <\/code>/g, "</code>");
