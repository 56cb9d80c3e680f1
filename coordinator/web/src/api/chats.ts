// Owns calls about chats: one conversation is a list of messages that the stream adds to.
import { type QueryClient, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { api, take } from "./client";
import { keys } from "./keys";
import type { Message } from "./types";

const at = (id: string) => ({ params: { path: { id } } });

export function useChats(project: string, enabled = true) {
  return useQuery({
    queryKey: keys.chats(project),
    enabled,
    queryFn: async () => {
      const page = await take(api.GET("/projects/{id}/chats", at(project)));
      return page.items.toSorted((a, b) => b.created_at - a.created_at);
    },
  });
}

export function useCreateChat(project: string) {
  const cache = useQueryClient();
  return useMutation({
    mutationFn: (title?: string) =>
      take(api.POST("/projects/{id}/chats", { ...at(project), body: title ? { title } : {} })),
    onSuccess: () => cache.invalidateQueries({ queryKey: keys.chats(project) }),
  });
}

export function useMessages(chat: string | undefined) {
  return useQuery({
    queryKey: keys.messages(chat ?? ""),
    enabled: chat !== undefined,
    queryFn: async () =>
      (await take(api.GET("/chats/{id}/messages", at(chat ?? "")))).items.toSorted(inOrder),
  });
}

const inOrder = (a: Message, b: Message) => a.seq - b.seq;

/** Adds a message or replaces the one with its id. */
export function keepMessage(cache: QueryClient, message: Message): void {
  cache.setQueryData<Message[]>(keys.messages(message.chat_id), (known = []) =>
    [...known.filter((one) => one.id !== message.id && !one.id.startsWith("sending")), message].toSorted(inOrder),
  );
}

export function useSay(chat: string | undefined) {
  const cache = useQueryClient();
  return useMutation({
    mutationFn: (text: string) =>
      take(
        api.POST("/chats/{id}/messages", { ...at(chat ?? ""), body: { text } }),
      ),
    onMutate: (text) => {
      const sending: Message = {
        id: "sending",
        seq: Number.MAX_SAFE_INTEGER,
        chat_id: chat ?? "",
        role: "user",
        text,
        cards: [],
        suggestions: [],
        at: Date.now(),
      };
      cache.setQueryData<Message[]>(keys.messages(chat ?? ""), (known = []) => [...known, sending]);
    },
    onSuccess: ({ user_message, reply }) => {
      keepMessage(cache, user_message);
      keepMessage(cache, reply);
    },
    onError: () =>
      cache.setQueryData<Message[]>(keys.messages(chat ?? ""), (known = []) =>
        known.filter((one) => one.id !== "sending"),
      ),
  });
}
