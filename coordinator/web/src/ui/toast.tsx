// Owns short notices in the corner: said aloud once, gone by themselves, errors stay until read.
import { CircleCheck, CircleX, X } from "lucide-react";
import { useSyncExternalStore } from "react";
import { asProblem } from "../api/problem";
import { IconButton } from "./button";

interface Toast {
  id: number;
  bad: boolean;
  title: string;
  detail?: string;
}

let toasts: readonly Toast[] = [];
let next = 1;
const listeners = new Set<() => void>();

function set(list: readonly Toast[]): void {
  toasts = list;
  for (const listener of listeners) listener();
}

function show(toast: Omit<Toast, "id">, ms: number): void {
  const id = next++;
  set([...toasts.slice(-3), { ...toast, id }]);
  setTimeout(() => { drop(id); }, ms);
}

function drop(id: number): void {
  set(toasts.filter((one) => one.id !== id));
}

export function say(title: string): void {
  show({ bad: false, title }, 3500);
}

export function sayProblem(error: unknown): void {
  const problem = asProblem(error);
  const detail = problem.message === problem.title ? "" : `${problem.message} `;
  show({ bad: true, title: problem.title, detail: `${detail}(${problem.code})` }, 12_000);
}

export function Toaster() {
  const list = useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => toasts,
  );
  return (
    <div aria-live="polite" className="pointer-events-none fixed right-4 bottom-4 z-60 flex w-[min(24rem,calc(100vw-2rem))] flex-col gap-2">
      {list.map((toast) => (
        <div key={toast.id} className="pointer-events-auto flex animate-rise items-start gap-2.5 rounded-lg border border-line bg-raised px-3 py-2.5 text-sm shadow-2">
          {toast.bad ? <CircleX className="mt-0.5 size-4 shrink-0 text-bad" aria-hidden /> : <CircleCheck className="mt-0.5 size-4 shrink-0 text-ok" aria-hidden />}
          <div className="min-w-0 flex-1">
            <p className="font-medium break-words">{toast.title}</p>
            {toast.detail && <p className="mt-0.5 text-xs break-words text-ink-2 first-letter:uppercase">{toast.detail}</p>}
          </div>
          <IconButton icon={X} label="Dismiss" className="-my-1 -mr-1.5" onClick={() => { drop(toast.id); }} />
        </div>
      ))}
    </div>
  );
}
