import { act, cleanup, fireEvent, render, screen } from "@testing-library/react";
import { afterEach, beforeEach, expect, it, vi } from "vitest";

beforeEach(() => { vi.resetModules(); });
afterEach(cleanup);

/** A menu whose code has not come yet. */
async function menu(chosen: () => void = () => undefined) {
  const { Menu, MenuItem, MenuLabel } = await import("./menu");
  render(
    <Menu trigger={<button type="button">More</button>}>
      <MenuLabel>Things</MenuLabel>
      <MenuItem onSelect={chosen}>First</MenuItem>
      <MenuItem onSelect={() => undefined}>Second</MenuItem>
    </Menu>,
  );
  return screen.getByRole("button", { name: "More" });
}

const here = () => act(() => import("./menu-list").then(() => new Promise((resolve) => setTimeout(resolve, 20))));

it("is a menu's button before its code has come", async () => {
  const button = await menu();
  expect([button.getAttribute("aria-haspopup"), button.getAttribute("aria-expanded")]).toEqual(["menu", "false"]);
  expect(screen.queryByText("First")).toBeNull();
});

it.each(["Enter", " ", "ArrowDown"])("opens at its first entry by %j, also when that was pressed before its code had come", async (key) => {
  const chosen = vi.fn();
  const button = await menu(chosen);
  button.focus();
  fireEvent.keyDown(button, { key });
  await here();
  const first = await screen.findByRole("menuitem", { name: "First" });
  await vi.waitFor(() => { expect(document.activeElement).toBe(first); });
  fireEvent.keyDown(first, { key: "Enter" });
  expect(chosen).toHaveBeenCalledOnce();
  await vi.waitFor(() => { expect(document.activeElement?.textContent).toBe("More"); });
});

it("opens by a press that came before its code", async () => {
  const button = await menu();
  fireEvent.pointerDown(button, { button: 0, pointerType: "mouse" });
  await here();
  await screen.findByRole("menuitem", { name: "First" });
  fireEvent.keyDown(screen.getByRole("menu"), { key: "Escape" });
  await vi.waitFor(() => { expect(document.activeElement?.textContent).toBe("More"); });
});

it("keeps the focus when its code comes", async () => {
  const button = await menu();
  act(() => { button.focus(); });
  await here();
  expect(screen.getByRole("button", { name: "More" })).not.toBe(button);
  expect(document.activeElement).toBe(screen.getByRole("button", { name: "More" }));
  expect(screen.queryByRole("menuitem")).toBeNull();
});
