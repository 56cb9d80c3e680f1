// Owns the addresses inside a project. Moving about keeps which chat is open.
import { useCallback } from "react";
import { useLocation } from "react-router";

export const PANELS = ["services", "infrastructure", "runs"] as const;
export type PanelName = (typeof PANELS)[number];

export interface Place {
  panel?: PanelName;
  item?: string;
  query?: Record<string, string>;
}

export function usePlaces(project: string): (place: Place) => string {
  const { search } = useLocation();
  const chat = new URLSearchParams(search).get("chat");
  return useCallback(
    ({ panel, item, query = {} }: Place) => {
      const params = new URLSearchParams({ ...(chat === null ? {} : { chat }), ...query });
      const path = ["/projects", project, ...(panel === undefined ? [] : [panel]), ...(item === undefined ? [] : [item])].join("/");
      const text = params.toString();
      return text === "" ? path : `${path}?${text}`;
    },
    [chat, project],
  );
}
