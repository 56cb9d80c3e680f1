import { act, cleanup, render, screen } from "@testing-library/react";
import { Component, type ReactNode } from "react";
import { afterEach, expect, it, vi } from "vitest";
import { type Later, later, soon, useLater, useRest } from "./later";

afterEach(() => {
  cleanup();
  vi.useRealTimers();
});

class Net extends Component<{ children: ReactNode }, { error: unknown }> {
  override state = { error: null };
  static getDerivedStateFromError = (error: unknown) => ({ error });
  override render() {
    return this.state.error === null ? this.props.children : String(this.state.error);
  }
}
function Page({ one, wanted }: { one: Later<string>; wanted: boolean }) {
  return useLater(one, wanted) ?? "not here";
}
const shown = () => document.body.textContent;

it("comes when it is wanted, once for all", async () => {
  const load = vi.fn(() => Promise.resolve("here"));
  const one = later(load);
  const { rerender } = render(<Page one={one} wanted={false} />);
  expect([shown(), load.mock.calls.length]).toEqual(["not here", 0]);
  await act(async () => { rerender(<Page one={one} wanted />); });
  expect(shown()).toBe("here");
  render(<Page one={one} wanted />);
  expect(load).toHaveBeenCalledOnce();
});

it("comes by itself once the page is at rest, also what was named after that", async () => {
  vi.useFakeTimers();
  const early = later(() => Promise.resolve("early"));
  const Rest = () => {
    useRest();
    return null;
  };
  render(<><Rest /><Page one={early} wanted={false} /></>);
  await act(() => vi.advanceTimersByTimeAsync(1_400));
  expect(shown()).toBe("not here");
  await act(() => vi.advanceTimersByTimeAsync(200));
  expect(shown()).toBe("early");
  const late = later(() => Promise.resolve("late"));
  await act(() => vi.advanceTimersByTimeAsync(1_600));
  expect(late.state().here).toBe("late");
});

it("is asked for again after it could not come, and says so only to who wants it", async () => {
  vi.spyOn(console, "error").mockImplementation(() => undefined);
  let there = false;
  const one = later(() => (there ? Promise.resolve("here") : Promise.reject(new TypeError("no line"))));
  const page = (wanted: boolean) => <Net><Page one={one} wanted={wanted} /></Net>;
  const { rerender, unmount } = render(page(false));
  await act(async () => { soon(one); });
  expect(shown()).toBe("not here");
  await act(async () => { rerender(page(true)); });
  expect(shown()).toBe("TypeError: no line");
  unmount();
  there = true;
  await act(() => one.fetch());
  render(page(true));
  screen.getByText("here");
});
