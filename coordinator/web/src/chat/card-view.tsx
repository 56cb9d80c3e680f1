// Owns which card stands for what. A card names a thing by id and shows that thing as it is now.
import type { Card } from "../api/types";
import { AnalysisCard } from "./analysis-card";
import { ApprovalCard } from "./approval-card";
import { ErrorCard } from "./error-card";
import { PlanCard } from "./plan-card";
import { QuestionCard } from "./question-card";
import { RunCard } from "./run-card";
import { ServicesCard } from "./services-card";

interface CardViewProps {
  card: Card;
  project: string;
  onSay: (text: string) => void;
}

export function CardView({ card, project, onSay }: CardViewProps) {
  const id = card.id ?? "";
  switch (card.kind) {
    case "analysis":
      return <AnalysisCard id={id} project={project} />;
    case "services":
      return <ServicesCard project={project} />;
    case "plan":
      return <PlanCard id={id} project={project} />;
    case "approval":
      return <ApprovalCard id={id} project={project} />;
    case "run":
      return <RunCard id={id} project={project} />;
    case "question":
      return <QuestionCard data={card.data} onSay={onSay} />;
    case "error":
      return <ErrorCard data={card.data} />;
  }
}
