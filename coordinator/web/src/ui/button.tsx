// Owns buttons: one primary per view, ghost for the rest, danger only for what destroys.
import { clsx } from "clsx";
import { LoaderCircle, type LucideIcon } from "lucide-react";
import type { ComponentProps } from "react";
import { Link, type LinkProps } from "react-router";

type Look = "primary" | "secondary" | "ghost" | "danger" | "ok";
type Size = "sm" | "md";

const BASE =
  "inline-flex shrink-0 items-center justify-center gap-1.5 rounded-md font-medium whitespace-nowrap transition-colors " +
  "disabled:opacity-55 aria-disabled:opacity-55 select-none";
const LOOKS: Record<Look, string> = {
  primary: "bg-primary text-on-primary enabled:hover:bg-primary-hover shadow-1",
  secondary: "bg-surface text-ink border border-line-strong enabled:hover:bg-hover shadow-1",
  ghost: "text-ink-2 enabled:hover:bg-hover enabled:hover:text-ink",
  danger: "bg-surface text-bad border border-line-strong enabled:hover:bg-bad-soft enabled:hover:border-bad shadow-1",
  ok: "bg-accent text-surface enabled:hover:opacity-90 shadow-1",
};
const SIZES: Record<Size, string> = { sm: "h-7 px-2.5 text-xs", md: "h-8.5 px-3 text-sm" };

export function buttonClass(look: Look = "secondary", size: Size = "md", extra?: string): string {
  return clsx(BASE, LOOKS[look], SIZES[size], extra);
}

interface ButtonProps extends ComponentProps<"button"> {
  look?: Look;
  size?: Size;
  icon?: LucideIcon;
  busy?: boolean;
}

export function Button({ look, size, icon: Icon, busy = false, className, children, disabled, ...rest }: ButtonProps) {
  return (
    <button
      type="button"
      {...rest}
      disabled={disabled === true || busy}
      aria-busy={busy || undefined}
      className={buttonClass(look, size, className)}
    >
      {busy ? <LoaderCircle className="size-3.5 animate-spin" aria-hidden /> : Icon && <Icon className="size-3.5" aria-hidden />}
      {children}
    </button>
  );
}

interface IconButtonProps extends ComponentProps<"button"> {
  icon: LucideIcon;
  label: string;
  pressed?: boolean;
}

export function IconButton({ icon: Icon, label, pressed, className, ...rest }: IconButtonProps) {
  return (
    <button
      type="button"
      aria-label={label}
      title={label}
      aria-pressed={pressed}
      {...rest}
      className={clsx(
        "inline-flex size-7 shrink-0 items-center justify-center rounded-md text-ink-3 transition-colors",
        "enabled:hover:bg-hover enabled:hover:text-ink disabled:opacity-45",
        pressed === true && "bg-accent-soft text-accent",
        className,
      )}
    >
      <Icon className="size-4" aria-hidden />
    </button>
  );
}

interface LinkButtonProps extends LinkProps {
  look?: Look;
  size?: Size;
  icon?: LucideIcon;
}

export function LinkButton({ look, size, icon: Icon, className, children, ...rest }: LinkButtonProps) {
  return (
    <Link {...rest} className={clsx(buttonClass(look, size, className), look === "primary" ? "hover:bg-primary-hover" : "hover:bg-hover")}>
      {Icon && <Icon className="size-3.5" aria-hidden />}
      {children}
    </Link>
  );
}
