// Owns API tokens: made once, shown once, revoked at once.
import { KeyRound, Plus, Trash2 } from "lucide-react";
import { useState } from "react";
import { useRevokeToken, useTokens } from "../api/account";
import type { ApiToken } from "../api/types";
import { date } from "../format/format";
import { Button, IconButton } from "../ui/button";
import { Confirm } from "../ui/confirm";
import { Empty } from "../ui/empty";
import { ProblemNote } from "../ui/problem-note";
import { SkeletonList } from "../ui/skeleton";
import { Ago } from "../ui/time";
import { NewToken } from "./new-token";

export function Tokens() {
  const tokens = useTokens();
  const revoke = useRevokeToken();
  const [making, setMaking] = useState(false);
  const [leaving, setLeaving] = useState<ApiToken | null>(null);
  return (
    <section>
      <div className="mb-4 flex flex-wrap items-center gap-3">
        <p className="min-w-0 flex-1 text-sm text-ink-2">For scripts and other programs. A token belongs to this team and may approve nothing above “affects services”.</p>
        <Button icon={Plus} onClick={() => { setMaking(true); }}>New token</Button>
      </div>
      {tokens.isPending && <SkeletonList rows={3} className="h-12" label="Loading tokens" />}
      {tokens.isError && <ProblemNote error={tokens.error} onRetry={() => void tokens.refetch()} />}
      {tokens.data?.length === 0 && (
        <Empty icon={KeyRound} title="No tokens">
          <p>Make one to use the REST API: it does everything this page does.</p>
        </Empty>
      )}
      {tokens.data && tokens.data.length > 0 && (
        <ul className="divide-y divide-line rounded-lg border border-line bg-surface shadow-1">
          {tokens.data.map((token) => (
            <li key={token.id} className="flex items-center gap-3 px-4 py-2.5 text-sm">
              <div className="min-w-0 flex-1">
                <p className="truncate font-medium" title={token.name}>{token.name}</p>
                <p className="text-xs text-ink-3">
                  <code>{token.prefix}…</code> · made {date(token.created_at)} · {token.last_used_at === null ? "never used" : <>used <Ago at={token.last_used_at} /></>} ·{" "}
                  expires {date(token.expires_at)}
                </p>
              </div>
              <IconButton icon={Trash2} label={`Revoke ${token.name}`} onClick={() => { setLeaving(token); }} />
            </li>
          ))}
        </ul>
      )}
      <NewToken open={making} onClose={() => { setMaking(false); }} />
      {leaving && (
        <Confirm
          open
          onOpenChange={() => { setLeaving(null); }}
          title={`Revoke “${leaving.name}”?`}
          action="Revoke token"
          busy={revoke.isPending}
          error={revoke.error}
          onConfirm={() => { revoke.mutate(leaving.id, { onSuccess: () => { setLeaving(null); } }); }}
        >
          <p>Programs that use it are refused from now on.</p>
        </Confirm>
      )}
    </section>
  );
}
