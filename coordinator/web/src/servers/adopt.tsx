// Owns bringing a machine: a name, then one command to run on it, then waiting until it is here.
import { CircleCheck, LoaderCircle } from "lucide-react";
import { type FormEvent, useState } from "react";
import { useAdopt, useServer } from "../api/servers";
import type { Adoption } from "../api/types";
import { useNow } from "../format/clock";
import { ago } from "../format/format";
import { Button, LinkButton } from "../ui/button";
import { CopyBox } from "../ui/copy";
import { Dialog } from "../ui/dialog";
import { Field, Input } from "../ui/field";
import { fieldError, isFieldError } from "../ui/form";
import { ProblemNote } from "../ui/problem-note";

export function Adopt({ onClose }: { onClose: () => void }) {
  const adopt = useAdopt();
  const [name, setName] = useState("");
  if (adopt.data) return <Waiting adoption={adopt.data} onClose={onClose} />;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    adopt.mutate(name.trim());
  };
  return (
    <Dialog
      open
      onOpenChange={onClose}
      title="Adopt a server"
      description="Debian 12 or Ubuntu, with root. What already runs there is not touched."
      footer={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" form="adopt" look="primary" busy={adopt.isPending}>Get the command</Button>
        </>
      }
    >
      <form id="adopt" onSubmit={submit} className="space-y-3">
        <Field label="Name" hint="How you will recognise it, e.g. where it stands or what it is for." error={fieldError(adopt.error, "name")}>
          <Input required autoFocus maxLength={63} value={name} onChange={(event) => { setName(event.target.value); }} placeholder="frankfurt-1" autoComplete="off" spellCheck={false} />
        </Field>
        {adopt.isError && !isFieldError(adopt.error, ["name"]) && <ProblemNote error={adopt.error} />}
      </form>
    </Dialog>
  );
}

function Waiting({ adoption, onClose }: { adoption: Adoption; onClose: () => void }) {
  const now = useNow();
  const { data } = useServer(adoption.server.id, true);
  const here = data?.online === true;
  const expired = adoption.expires_at <= now;
  return (
    <Dialog
      open
      onOpenChange={onClose}
      wide
      title={here ? `${adoption.server.name} is here` : `Run this on ${adoption.server.name}`}
      footer={
        here ? (
          <LinkButton look="primary" to={`/servers/${adoption.server.id}`}>See the server</LinkButton>
        ) : (
          <Button onClick={onClose}>Close; it can join later</Button>
        )
      }
    >
      {here ? (
        <p role="status" className="flex items-center gap-2 text-sm">
          <CircleCheck className="size-5 text-ok" aria-hidden /> Connected, with its own key. Plans can use it now.
        </p>
      ) : (
        <div className="space-y-4 text-sm">
          <div>
            <p className="mb-1.5 text-ink-2">
              As root on the machine, with the agent copied to <code className="font-mono">/usr/local/bin/hydron-agent</code>:
            </p>
            <CopyBox text={adoption.command} label="Copy the command" />
          </div>
          <div>
            <p className="mb-1.5 text-ink-2">It asks for this token. It works once, for this server only, and is not shown again.</p>
            <CopyBox text={adoption.token} label="Copy the token" />
          </div>
          <p role="status" className="flex items-center gap-2 text-ink-2">
            {expired ? (
              "The token has expired. Close this and adopt the server again."
            ) : (
              <>
                <LoaderCircle className="size-4 animate-spin text-run" aria-hidden /> Waiting for it to dial in. The token expires {ago(adoption.expires_at, now)}.
              </>
            )}
          </p>
        </div>
      )}
    </Dialog>
  );
}
