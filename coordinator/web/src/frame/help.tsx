// Owns the list of keys.
import { Kbd } from "../ui/badge";
import { Dialog } from "../ui/dialog";
import { SHORTCUTS } from "./shortcuts";

export function Help({ open, onOpenChange }: { open: boolean; onOpenChange: (open: boolean) => void }) {
  return (
    <Dialog open={open} onOpenChange={onOpenChange} title="Keyboard">
      <dl className="divide-y divide-line">
        {SHORTCUTS.map(({ keys, does }) => (
          <div key={does} className="flex items-center justify-between gap-4 py-2 text-sm">
            <dt className="text-ink-2">{does}</dt>
            <dd className="flex gap-1">
              {keys.map((key) => (
                <Kbd key={key}>{key}</Kbd>
              ))}
            </dd>
          </div>
        ))}
      </dl>
      <p className="mt-3 text-sm text-ink-2">
        What can be clicked can be typed in the chat: “deploy https://…”, “accept all services”, “approve the plan”, “redeploy”, “pause”,
        “roll back”.
      </p>
    </Dialog>
  );
}
