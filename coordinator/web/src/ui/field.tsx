// Owns form fields: label, control, hint and error stand together and know each other's ids.
import { clsx } from "clsx";
import { CircleAlert } from "lucide-react";
import { type ComponentProps, createContext, type ReactNode, useContext, useId } from "react";

interface Wiring {
  id: string;
  describedBy: string | undefined;
  invalid: boolean;
}
const FieldContext = createContext<Wiring | null>(null);

interface FieldProps {
  label: string;
  hint?: ReactNode;
  error?: string | null;
  hideLabel?: boolean;
  className?: string;
  children: ReactNode;
}

export function Field({ label, hint, error, hideLabel = false, className, children }: FieldProps) {
  const id = useId();
  const invalid = error !== null && error !== undefined;
  const describedBy = invalid ? `${id}-error` : hint !== undefined ? `${id}-hint` : undefined;
  return (
    <div className={clsx("min-w-0", className)}>
      <label htmlFor={id} className={hideLabel ? "sr-only" : "mb-1 block text-sm font-medium text-ink"}>
        {label}
      </label>
      <FieldContext value={{ id, describedBy, invalid }}>{children}</FieldContext>
      {invalid ? (
        <p id={`${id}-error`} className="mt-1 flex items-start gap-1 text-xs text-bad">
          <CircleAlert className="mt-0.5 size-3 shrink-0" aria-hidden />
          <span className="min-w-0 break-words">{error}</span>
        </p>
      ) : (
        hint !== undefined && (
          <p id={`${id}-hint`} className="mt-1 text-xs text-ink-3">
            {hint}
          </p>
        )
      )}
    </div>
  );
}

const CONTROL =
  "w-full min-w-0 rounded-md border bg-surface text-ink placeholder:text-ink-3 shadow-1 transition-colors " +
  "hover:border-ink-3 focus:outline-2 focus:-outline-offset-1 focus:outline-accent disabled:bg-sunken disabled:text-ink-3";

function useWiring() {
  const wiring = useContext(FieldContext);
  return {
    id: wiring?.id,
    "aria-describedby": wiring?.describedBy,
    "aria-invalid": wiring?.invalid === true ? true : undefined,
    border: wiring?.invalid === true ? "border-bad" : "border-line-strong",
  };
}

export function Input({ className, ...rest }: ComponentProps<"input">) {
  const { border, ...wiring } = useWiring();
  return <input {...wiring} {...rest} className={clsx(CONTROL, border, "h-8.5 px-2.5 text-sm", className)} />;
}

export function TextArea({ className, ...rest }: ComponentProps<"textarea">) {
  const { border, ...wiring } = useWiring();
  return <textarea {...wiring} {...rest} className={clsx(CONTROL, border, "px-2.5 py-2 text-sm", className)} />;
}

export function Select({ className, ...rest }: ComponentProps<"select">) {
  const { border, ...wiring } = useWiring();
  return <select {...wiring} {...rest} className={clsx(CONTROL, border, "h-8.5 px-2 text-sm", className)} />;
}

export function Checkbox({ label, className, ...rest }: ComponentProps<"input"> & { label: ReactNode }) {
  return (
    <label className={clsx("inline-flex min-w-0 cursor-pointer items-center gap-2 text-sm text-ink-2", className)}>
      <input type="checkbox" {...rest} className="size-4 shrink-0 accent-(--accent)" />
      {label}
    </label>
  );
}
