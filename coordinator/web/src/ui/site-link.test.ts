import { expect, it } from "vitest";
import { isSite } from "./site-link";

it("follows addresses of the web and nothing else", () => {
  for (const url of ["https://guestbook.localhost:8443/", "http://example.org", "HTTPS://example.org/a?b#c"]) expect(isSite(url), url).toBe(true);
  for (const url of ["javascript:alert(1)", "JaVaScRiPt:alert(1)", " https://example.org", "\u0001javascript:1", "data:text/html,x", "//example.org", "https:example.org", "https:///", "https://", "https://[", "<b>", ""]) expect(isSite(url), JSON.stringify(url)).toBe(false);
});
