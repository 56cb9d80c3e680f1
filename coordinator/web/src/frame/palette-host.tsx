// Owns the moment the command palette is first needed: its code is loaded then.
import { lazy, Suspense } from "react";

const Palette = lazy(() => import("./palette"));

interface PaletteHostProps {
  open: boolean;
  onOpenChange: (open: boolean) => void;
  onHelp: () => void;
}

export function PaletteHost(props: PaletteHostProps) {
  if (!props.open) return null;
  return (
    <Suspense fallback={null}>
      <Palette {...props} />
    </Suspense>
  );
}
