// Owns one message: words as restricted Markdown, then its cards, alive however old it is.
import { lazy, Suspense } from "react";
import type { Card, Message } from "../api/types";
import { Mark } from "../ui/brand";
import { Ago } from "../ui/time";
import { CardView } from "./card-view";

// Asked for as soon as the chat is, so that its first words are not seen unformatted.
const markdown = import("./markdown");
const Markdown = lazy(() => markdown);

interface MessageViewProps {
  message: Message;
  project: string;
  onSay: (text: string) => void;
}

export function MessageView({ message, project, onSay }: MessageViewProps) {
  if (message.role === "user") {
    return (
      <li className="flex flex-col items-end" aria-label="You">
        <p className="max-w-[85%] rounded-2xl rounded-br-md bg-accent-soft px-3.5 py-2 text-base break-words whitespace-pre-wrap text-ink">{message.text}</p>
      </li>
    );
  }
  return (
    <li className="flex animate-rise gap-3" aria-label="Hydron" data-message={message.id}>
      <Mark className="mt-0.5 size-6 shrink-0 max-sm:hidden" />
      <div className="min-w-0 flex-1">
        {message.text !== "" && (
          <Suspense fallback={<p className="whitespace-pre-wrap">{message.text}</p>}>
            <Markdown text={message.text} />
          </Suspense>
        )}
        {message.cards.length > 0 && (
          <div className="mt-3 space-y-3">
            {distinct(message.cards).map((card, index) => (
              <CardView key={`${card.kind}-${card.id ?? ""}-${String(index)}`} card={card} project={project} onSay={onSay} />
            ))}
          </div>
        )}
        <p className="mt-1.5 text-xs text-ink-3">
          <Ago at={message.at} />
        </p>
      </div>
    </li>
  );
}

/** A plan and the approval of the same plan are one card: the plan with its button. */
function distinct(cards: Card[]): Card[] {
  return cards.filter((card) => card.kind !== "plan" || !cards.some((one) => one.kind === "approval" && one.id === card.id));
}
