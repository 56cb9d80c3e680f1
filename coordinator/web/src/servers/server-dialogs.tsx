// Owns renaming a server and cutting it off.
import { useNavigate } from "react-router";
import { useRenameServer, useRevokeServer } from "../api/servers";
import type { Server } from "../api/types";
import { after } from "../ui/after";
import { Confirm } from "../ui/confirm";
import { RenameDialog } from "../ui/rename-dialog";
import { say } from "../ui/toast";

export function RenameServer({ server, onClose }: { server: Server; onClose: () => void }) {
  const rename = useRenameServer(server.id);
  return <RenameDialog title="Rename server" name={server.name} maxLength={63} rename={rename} onClose={onClose} />;
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
