// Owns what is shown when a view itself breaks: words and a way out instead of a blank page.
import { Component, type ReactNode } from "react";
import { Button } from "../ui/button";
import { ProblemNote } from "../ui/problem-note";

export class Boundary extends Component<{ children: ReactNode }, { error: unknown }> {
  override state: { error: unknown } = { error: null };

  static getDerivedStateFromError(error: unknown): { error: unknown } {
    return { error };
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
