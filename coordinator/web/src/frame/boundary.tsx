// Owns what is shown when a view itself breaks: words and a way out instead of a blank page. A view whose code could not
// be fetched (the line was cut, or the coordinator was updated) is not broken: the page is loaded anew, once.
import { Component, type ReactNode } from "react";
import { Button } from "../ui/button";
import { ProblemNote } from "../ui/problem-note";

export class Boundary extends Component<{ children: ReactNode }, { error: unknown }> {
  override state: { error: unknown } = { error: null };

  static getDerivedStateFromError(error: unknown): { error: unknown } {
    return { error };
  }

  override componentDidCatch(error: unknown): void {
    if (isMissingCode(error) && mayReload()) location.reload();
  }

  override render(): ReactNode {
    if (this.state.error === null) return this.props.children;
    return (
      <main className="mx-auto flex h-full max-w-lg flex-col justify-center gap-4 p-6">
        <h1 className="text-xl font-semibold">This page broke</h1>
        <ProblemNote error={this.state.error} />
        <div className="flex gap-2">
          <Button look="primary" onClick={() => { location.reload(); }}>
            Load it again
          </Button>
          <Button onClick={() => { location.assign("/"); }}>All projects</Button>
        </div>
      </main>
    );
  }
}

function isMissingCode(error: unknown): boolean {
  return error instanceof TypeError && /dynamically imported module|importing a module script|preload/i.test(error.message);
}

const KEY = "hydron.reloaded";
const PAUSE_MS = 20_000;

/** Not again right after the last time: what is gone for good must not turn into a loop. */
function mayReload(): boolean {
  const last = Number(sessionStorage.getItem(KEY) ?? 0);
  if (Date.now() - last < PAUSE_MS) return false;
  sessionStorage.setItem(KEY, String(Date.now()));
  return true;
}
