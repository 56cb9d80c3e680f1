// Owns giving a thing another name. Rule: what is wrong with the name is said at its field.
import { type FormEvent, useState } from "react";
import { Button } from "./button";
import { Dialog } from "./dialog";
import { Field, Input } from "./field";
import { fieldError, isFieldError } from "./form";
import { ProblemNote } from "./problem-note";

/** The part of a mutation that this needs. */
type Rename = {
  mutate: (name: string, then: { onSuccess: () => void }) => void;
  error: Error | null;
  isPending: boolean;
};

export function RenameDialog({ title, description, name: before, maxLength, rename, onClose }: {
  title: string;
  description?: string;
  name: string;
  maxLength: number;
  rename: Rename;
  onClose: () => void;
}) {
  const [name, setName] = useState(before);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    rename.mutate(name.trim(), { onSuccess: onClose });
  };
  return (
    <Dialog
      open
      onOpenChange={onClose}
      title={title}
      description={description}
      footer={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" form="rename" look="primary" busy={rename.isPending}>Rename</Button>
        </>
      }
    >
      <form id="rename" onSubmit={submit} className="space-y-3">
        <Field label="Name" error={fieldError(rename.error, "name")}>
          <Input required autoFocus maxLength={maxLength} value={name} onChange={(event) => { setName(event.target.value); }} />
        </Field>
        {rename.error !== null && !isFieldError(rename.error, ["name"]) && <ProblemNote error={rename.error} />}
      </form>
    </Dialog>
  );
}
