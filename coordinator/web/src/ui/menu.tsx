// Owns drop-down menus. What opens them comes later (later.ts): until then the button is there, and what it is pressed by
// is kept and pressed again.
import { clsx } from "clsx";
import type { LucideIcon } from "lucide-react";
import { cloneElement, type ComponentProps, createContext, type KeyboardEvent, type PointerEvent, type ReactElement, type ReactNode, useContext, useState } from "react";
import { later, soon, useLater } from "./later";

const list = later(() => import("./menu-list"));
const List = createContext<typeof import("./menu-list") | null>(null);

interface MenuProps {
  trigger: ReactElement<ComponentProps<"button">>;
  children: ReactNode;
  align?: "start" | "end";
}

export function Menu({ trigger, children, align = "end" }: MenuProps) {
  const [pressed, setPressed] = useState<Event | null>(null);
  const [focused, setFocused] = useState(false);
  const here = useLater(list, pressed !== null);
  if (here !== null) {
    return (
      <List value={here}>
        <here.MenuList trigger={trigger} align={align} focused={focused} pressed={pressed}>
          {children}
        </here.MenuList>
      </List>
    );
  }
  const wanted = () => { soon(list); };
  return cloneElement(trigger, {
    "aria-haspopup": "menu",
    "aria-expanded": false,
    "aria-busy": pressed !== null || undefined,
    onPointerEnter: wanted,
    onFocus: () => {
      setFocused(true);
      wanted();
    },
    onBlur: () => { setFocused(false); },
    onPointerDown: (event: PointerEvent) => {
      if (event.button !== 0 || event.ctrlKey) return;
      event.preventDefault();
      setPressed(new globalThis.PointerEvent("pointerdown", { bubbles: true, cancelable: true, button: 0, pointerType: event.pointerType }));
    },
    onKeyDown: (event: KeyboardEvent) => {
      if (!["Enter", " ", "ArrowDown"].includes(event.key)) return;
      event.preventDefault();
      setPressed(new globalThis.KeyboardEvent("keydown", { bubbles: true, cancelable: true, key: event.key }));
    },
  });
}

interface MenuItemProps {
  icon?: LucideIcon;
  danger?: boolean;
  disabled?: boolean;
  checked?: boolean;
  onSelect: () => void;
  children: ReactNode;
}

export function MenuItem({ icon: Icon, danger = false, disabled = false, checked, onSelect, children }: MenuItemProps) {
  const here = useContext(List);
  return here && (
    <here.Item
      disabled={disabled}
      onSelect={onSelect}
      aria-current={checked === true ? "true" : undefined}
      className={clsx(
        "flex h-8 cursor-pointer items-center gap-2 rounded-md px-2 text-sm outline-none data-disabled:opacity-50 data-highlighted:bg-hover",
        danger ? "text-bad" : "text-ink",
        checked === true && "font-medium",
      )}
    >
      {Icon && <Icon className={clsx("size-4 shrink-0", danger ? "text-bad" : "text-ink-3")} aria-hidden />}
      <span className="min-w-0 truncate">{children}</span>
    </here.Item>
  );
}

export function MenuLabel({ children }: { children: ReactNode }) {
  const here = useContext(List);
  return here && <here.Label className="px-2 pt-1.5 pb-1 text-xs text-ink-3">{children}</here.Label>;
}

export function MenuLine() {
  const here = useContext(List);
  return here && <here.Separator className="-mx-1 my-1 h-px bg-line" />;
}
