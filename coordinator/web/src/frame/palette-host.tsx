// Owns the moment the command palette is needed: its code comes when the first page is at rest, so that what is typed
// right after Ctrl+K is not lost.
import { lazy, Suspense, useEffect } from "react";

const load = () => import("./palette");
const Palette = lazy(load);
const AT_REST_MS = 1500;

interface PaletteHostProps {
  open: boolean;
  onOpenChange: (open: boolean) => void;
  onHelp: () => void;
}

export function PaletteHost(props: PaletteHostProps) {
  useEffect(() => {
    const timer = setTimeout(() => void load(), AT_REST_MS);
    return () => { clearTimeout(timer); };
  }, []);
  if (!props.open) return null;
  return (
    <Suspense fallback={null}>
      <Palette {...props} />
    </Suspense>
  );
}
