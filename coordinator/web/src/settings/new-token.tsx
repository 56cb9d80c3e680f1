// Owns making a token and the only time it is seen.
import { type FormEvent, useState } from "react";
import { useCreateToken } from "../api/account";
import { Button } from "../ui/button";
import { CopyBox } from "../ui/copy";
import { Dialog } from "../ui/dialog";
import { Field, Input, Select } from "../ui/field";
import { fieldError, isFieldError } from "../ui/form";
import { ProblemNote } from "../ui/problem-note";

export function NewToken({ open, onClose }: { open: boolean; onClose: () => void }) {
  const create = useCreateToken();
  const [name, setName] = useState("");
  const [days, setDays] = useState("90");
  const token = create.data?.token;
  const close = () => {
    create.reset();
    setName("");
    onClose();
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    create.mutate({ name: name.trim(), expires_in_days: Number(days) });
  };
  return (
    <Dialog
      open={open}
      onOpenChange={close}
      title={token ? "Your new token" : "New API token"}
      {...(token ? { description: "Copy it now. It is stored as a hash and cannot be shown again." } : {})}
      footer={
        token ? (
          <Button look="primary" onClick={close}>Done</Button>
        ) : (
          <>
            <Button onClick={close}>Cancel</Button>
            <Button type="submit" form="new-token" look="primary" busy={create.isPending}>Create token</Button>
          </>
        )
      }
    >
      {token ? (
        <CopyBox text={token} label="Copy the token" />
      ) : (
        <form id="new-token" onSubmit={submit} className="space-y-4">
          <Field label="Name" hint="What will use it." error={fieldError(create.error, "name")}>
            <Input required autoFocus maxLength={80} value={name} onChange={(event) => { setName(event.target.value); }} placeholder="CI" />
          </Field>
          <Field label="Expires">
            <Select value={days} onChange={(event) => { setDays(event.target.value); }}>
              <option value="7">In 7 days</option>
              <option value="30">In 30 days</option>
              <option value="90">In 90 days</option>
              <option value="365">In a year</option>
            </Select>
          </Field>
          {create.isError && !isFieldError(create.error, ["name"]) && <ProblemNote error={create.error} />}
        </form>
      )}
    </Dialog>
  );
}
