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
