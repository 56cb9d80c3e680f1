// Owns renaming a server and cutting it off.
import { type FormEvent, useState } from "react";
import { useNavigate } from "react-router";
import { useRenameServer, useRevokeServer } from "../api/servers";
import type { Server } from "../api/types";
import { after } from "../ui/after";
import { Button } from "../ui/button";
import { Confirm } from "../ui/confirm";
import { Dialog } from "../ui/dialog";
import { Field, Input } from "../ui/field";
import { ProblemNote } from "../ui/problem-note";
import { say } from "../ui/toast";

export function RenameServer({ server, onClose }: { server: Server; onClose: () => void }) {
  const rename = useRenameServer(server.id);
  const [name, setName] = useState(server.name);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    rename.mutate(name.trim(), { onSuccess: onClose });
  };
  return (
    <Dialog
      open
      onOpenChange={onClose}
      title="Rename server"
      footer={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" form="rename-server" look="primary" busy={rename.isPending}>Rename</Button>
        </>
      }
    >
      <form id="rename-server" onSubmit={submit} className="space-y-3">
        <Field label="Name">
          <Input required autoFocus maxLength={63} value={name} onChange={(event) => { setName(event.target.value); }} />
        </Field>
        {rename.isError && <ProblemNote error={rename.error} />}
      </form>
    </Dialog>
  );
}

export function RevokeServer({ server, onClose }: { server: Server; onClose: () => void }) {
  const revoke = useRevokeServer(server.id);
  const navigate = useNavigate();
  return (
    <Confirm
      open
      onOpenChange={onClose}
      title="Revoke this server?"
      action="Revoke server"
      phrase={server.name}
      busy={revoke.isPending}
      error={revoke.error}
      onConfirm={() => {
        after(revoke.mutateAsync(), () => {
          say("Server revoked");
          void navigate("/servers");
        });
      }}
    >
      <p>Its connection is closed within seconds and its key is refused for ever. What runs on it keeps running, but nothing can be deployed there until it is adopted again.</p>
    </Confirm>
  );
}
