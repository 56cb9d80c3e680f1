import { cleanup, render, screen, within } from "@testing-library/react";
import { afterEach, expect, it } from "vitest";
import { Verdict } from "./dockerfile-verdict";

afterEach(cleanup);

const DIFF = "--- a/api/Dockerfile\n+++ b/api/Dockerfile\n@@ -7,3 +7,3 @@\n EXPOSE 80\n-RUN --mount=type=cache,target=/x true\n+RUN true\n CMD a\n";

it("shows a repair line by line, with numbers, signs and words, so that colour is not needed", () => {
  render(<Verdict service="api" said={{ verdict: "repair", path: "api/Dockerfile", reasons: ["it runs as root", "the `# syntax` line was taken out"], diff: DIFF }} />);
  expect(screen.getByText("It runs as root.")).toBeTruthy();
  expect(screen.getByText("# syntax").tagName).toBe("CODE");
  expect(screen.getByText("1 line added, 1 line removed")).toBeTruthy();
  const rows = within(screen.getByRole("region", { name: "Changes to the Dockerfile of api" })).getAllByRole("row").slice(1);
  expect(rows.map((row) => [...row.querySelectorAll("td")].map((cell) => cell.textContent))).toEqual([
    ["6 lines unchanged"],
    ["7", "7", "", "EXPOSE 80"],
    ["8", "", "−removed", "RUN --mount=type=cache,target=/x true"],
    ["", "8", "+added", "RUN true"],
    ["9", "9", "", "CMD a"],
  ]);
});

it("says why a file is not used, and shows no diff of it", () => {
  render(<Verdict service="api" said={{ verdict: "replace", path: "api/Dockerfile", reasons: ["its command is a development server"], diff: null }} />);
  expect(screen.getByText(/not fit for production/).textContent).toContain("api/Dockerfile");
  expect(screen.getByText("Its command is a development server.")).toBeTruthy();
  expect(screen.queryByRole("table")).toBeNull();
});

it("shows text of a repository as text", () => {
  const evil = '<img src=x onerror="window.pwned=1">';
  const { container } = render(<Verdict service={evil} said={{ verdict: "repair", path: evil, reasons: [evil], diff: `@@ -1 +1 @@\n-${evil}\n+${evil}\n` }} />);
  expect(container.querySelector("img")).toBeNull();
});
