// Owns the conversation of a project: the latest chat, or the one named in the address; made when there is none.
import { useEffect, useRef } from "react";
import { useSearchParams } from "react-router";
import { useServices } from "../api/services";
import { useChats, useCreateChat, useMessages, useSay } from "../api/chats";
import { useChatStream } from "../events/follow";
import { ProblemNote } from "../ui/problem-note";
import { SkeletonList } from "../ui/skeleton";
import { sayProblem } from "../ui/toast";
import { Composer } from "./composer";
import { MessageView } from "./message-view";
import { useStickToEnd } from "./stick-to-end";
import { Suggestions } from "./suggestions";
import { Thinking } from "./thinking";
import { Welcome } from "./welcome";

export function Chat({ project }: { project: string }) {
  const [params] = useSearchParams();
  const chats = useChats(project);
  const create = useCreateChat(project);
  const asked = useRef(false);
  const chat = params.get("chat") ?? chats.data?.[0]?.id;
  const messages = useMessages(chat);
  const speak = useSay(chat);
  useChatStream(chat);
  // What was suggested may have been clicked meanwhile.
  const pending = useServices(project).data?.some((service) => service.state === "pending") ?? false;
  const list = messages.data ?? [];
  const end = useStickToEnd(list);

  // The first visit makes the first chat, so that there is always somewhere to write.
  useEffect(() => {
    if (chats.data?.length !== 0 || asked.current) return;
    asked.current = true;
    create.mutate(undefined);
  }, [chats.data, create]);

  const send = (text: string) => {
    speak.mutate(text, { onError: sayProblem });
  };
  const error = chats.error ?? messages.error ?? create.error;
  const last = list.at(-1);
  return (
    <>
      <div ref={end} className="min-h-0 flex-1 overflow-y-auto" tabIndex={0} role="log" aria-label="Messages" aria-live="polite">
        <div className="mx-auto flex min-h-full w-full max-w-3xl flex-col px-4 py-6 md:px-6">
          {error !== null && <ProblemNote error={error} onRetry={() => { void chats.refetch(); void messages.refetch(); }} />}
          {messages.isPending && error === null && <SkeletonList rows={3} className="h-20" label="Loading the chat" />}
          {messages.data && list.length === 0 && <Welcome project={project} onSay={send} />}
          <ol className="space-y-6">
            {list.map((message) => (
              <MessageView key={message.id} message={message} project={project} onSay={send} />
            ))}
          </ol>
          {speak.isPending && <Thinking />}
        </div>
      </div>
      <div className="mx-auto w-full max-w-3xl px-4 pb-4 md:px-6">
        {last?.role === "assistant" && !speak.isPending && <Suggestions texts={last.suggestions.filter((text) => pending || !/^(accept|reject)\b/i.test(text))} onSay={send} />}
        <Composer disabled={chat === undefined} busy={speak.isPending} onSend={send} />
      </div>
    </>
  );
}
