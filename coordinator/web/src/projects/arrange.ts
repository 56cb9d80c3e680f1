// Owns the order and selection of projects on the home screen.
import { useState } from "react";
import type { Project } from "../api/types";

export type Order = "activity" | "name" | "created";
export interface Wish {
  text: string;
  state: string;
  order: Order;
  favourites: ReadonlySet<string>;
}

export function arrange(projects: readonly Project[], { text, state, order, favourites }: Wish): Project[] {
  const needle = text.trim().toLowerCase();
  return projects
    .filter((project) => project.name.toLowerCase().includes(needle) && (state === "" || project.status === state))
    .toSorted((a, b) => Number(favourites.has(b.id)) - Number(favourites.has(a.id)) || compare(a, b, order));
}

function compare(a: Project, b: Project, order: Order): number {
  switch (order) {
    case "activity":
      return b.updated_at - a.updated_at;
    case "name":
      return a.name.localeCompare(b.name);
    case "created":
      return b.created_at - a.created_at;
  }
}

export type View = "cards" | "list";
const KEY = "hydron.projects.view";

export function useView(): [View, (view: View) => void] {
  const [view, setView] = useState<View>(() => (localStorage.getItem(KEY) === "list" ? "list" : "cards"));
  return [
    view,
    (next) => {
      localStorage.setItem(KEY, next);
      setView(next);
    },
  ];
}
