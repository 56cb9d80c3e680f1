// Owns the star that makes a project a favourite.
import { clsx } from "clsx";
import { Star as Icon } from "lucide-react";
import type { Project } from "../api/types";
import { useFavourites } from "./favourites";

export function Star({ project }: { project: Project }) {
  const { favourites, toggle } = useFavourites();
  const on = favourites.has(project.id);
  return (
    <button
      type="button"
      aria-pressed={on}
      aria-label={`Favourite ${project.name}`}
      title={on ? "Remove from favourites" : "Add to favourites"}
      onClick={() => { toggle(project.id); }}
      className={clsx(
        "relative z-1 -m-1 rounded p-1",
        on ? "text-warn-strong" : "text-ink-3 opacity-0 group-focus-within:opacity-100 group-hover:opacity-100 pointer-coarse:opacity-100",
      )}
    >
      <Icon className={clsx("size-4", on && "fill-current")} aria-hidden />
    </button>
  );
}
