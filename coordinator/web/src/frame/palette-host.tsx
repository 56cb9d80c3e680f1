// Owns whether the command palette is there. Its code is here when the first page is at rest, so that what is typed right
// after Ctrl+K is not lost.
import { later, useLater } from "../ui/later";
import type { PaletteProps } from "./palette";

const palette = later(() => import("./palette"));

export function PaletteHost({ open, ...props }: PaletteProps & { open: boolean }) {
  const here = useLater(palette, open);
  return open && here !== null ? <here.Palette {...props} /> : null;
}
