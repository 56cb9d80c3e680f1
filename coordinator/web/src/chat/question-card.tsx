// Owns a question with its possible answers. Choosing one is the same as typing it.
import { CircleHelp } from "lucide-react";
import { Button } from "../ui/button";
import { Card } from "./card";

interface Question {
  text?: string;
  options?: string[];
}

export function QuestionCard({ data, onSay }: { data: unknown; onSay: (text: string) => void }) {
  const question = (data ?? {}) as Question;
  const options = Array.isArray(question.options) ? question.options.filter((one) => typeof one === "string") : [];
  return (
    <Card
      icon={CircleHelp}
      title={<span className="whitespace-normal">{typeof question.text === "string" ? question.text : "A question"}</span>}
      actions={
        options.length > 0
          ? options.map((option) => (
              <Button key={option} size="sm" className="h-auto! max-w-full py-1 text-left break-words whitespace-normal!" onClick={() => { onSay(option); }}>
                {option}
              </Button>
            ))
          : undefined
      }
    />
  );
}
