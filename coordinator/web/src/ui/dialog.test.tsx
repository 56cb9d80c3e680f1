import { act, cleanup, fireEvent, render, screen } from "@testing-library/react";
import { useState } from "react";
import { afterEach, beforeEach, expect, it, vi } from "vitest";

beforeEach(() => { vi.resetModules(); });
afterEach(cleanup);

async function page() {
  const { Dialog } = await import("./dialog");
  function Page() {
    const [open, setOpen] = useState(false);
    return (
      <>
        <button type="button" onClick={() => { setOpen(true); }}>Rename</button>
        <Dialog open={open} onOpenChange={setOpen} title="Rename project"><input aria-label="Name" autoFocus /></Dialog>
      </>
    );
  }
  render(<Page />);
  const button = screen.getByRole("button", { name: "Rename" });
  act(() => { button.focus(); });
  fireEvent.click(button);
  return button;
}

it("takes the focus in, says its name, and gives the focus back to what opened it", async () => {
  const button = await page();
  // Its code is on its way; a busy machine takes longer than a search waits.
  await act(() => import("./dialog-frame").then(() => undefined));
  const dialog = await screen.findByRole("dialog", { name: "Rename project" });
  expect(document.activeElement).toBe(screen.getByLabelText("Name"));
  fireEvent.keyDown(dialog, { key: "Escape" });
  expect(screen.queryByRole("dialog")).toBeNull();
  await vi.waitFor(() => { expect(document.activeElement).toBe(button); });
});

it("gives the focus back to where a dialog had it from that opened this one and is gone", async () => {
  const { DialogFrame } = await import("./dialog-frame");
  function Page() {
    const [open, setOpen] = useState("");
    const to = (next: string) => () => { setOpen(next); };
    return (
      <>
        <button type="button" onClick={to("palette")}>Commands</button>
        {open === "palette" && <DialogFrame onOpenChange={to("")} title="Palette"><button type="button" autoFocus onClick={to("help")}>Keyboard help</button></DialogFrame>}
        {open === "help" && <DialogFrame onOpenChange={to("")} title="Help">Keys</DialogFrame>}
      </>
    );
  }
  render(<Page />);
  const button = screen.getByRole("button", { name: "Commands" });
  act(() => { button.focus(); });
  fireEvent.click(button);
  fireEvent.click(screen.getByRole("button", { name: "Keyboard help" }));
  // The one that is gone says so a moment later; by then this one has the focus.
  await act(() => new Promise((resolve) => setTimeout(resolve, 20)));
  fireEvent.keyDown(screen.getByRole("dialog", { name: "Help" }), { key: "Escape" });
  await vi.waitFor(() => { expect(document.activeElement).toBe(button); });
});

it("says that it is on its way, and can be taken back until it is here", async () => {
  await page();
  screen.getByRole("status", { name: "Loading" });
  fireEvent.keyDown(document.body, { key: "Escape" });
  await act(() => import("./dialog-frame").then(() => undefined));
  expect([screen.queryByRole("status"), screen.queryByRole("dialog")]).toEqual([null, null]);
});
