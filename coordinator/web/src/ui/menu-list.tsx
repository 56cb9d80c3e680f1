// Owns how a menu opens and looks. Not modal, so that nothing needs a style element.
import { DropdownMenu as Radix } from "radix-ui";
import { type ReactElement, type ReactNode, useEffect, useRef } from "react";

export const { Item, Label, Separator } = Radix;

export interface MenuListProps {
  trigger: ReactElement;
  align: "start" | "end";
  /** What the button before this one had: the focus, and a press that could not be answered yet. */
  focused: boolean;
  pressed: Event | null;
  children: ReactNode;
}

export function MenuList({ trigger, align, focused, pressed, children }: MenuListProps) {
  const button = useRef<HTMLButtonElement>(null);
  const before = useRef({ focused, pressed });
  useEffect(() => {
    const { focused, pressed } = before.current;
    before.current = { focused: false, pressed: null };
    if (focused) button.current?.focus({ preventScroll: true });
    if (pressed !== null) button.current?.dispatchEvent(pressed);
  }, []);
  return (
    <Radix.Root modal={false}>
      <Radix.Trigger asChild ref={button}>
        {trigger}
      </Radix.Trigger>
      <Radix.Portal>
        <Radix.Content
          align={align}
          sideOffset={4}
          collisionPadding={8}
          className="z-50 max-w-80 min-w-44 animate-rise rounded-lg border border-line bg-raised p-1 shadow-2"
        >
          {children}
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  );
}
