// Owns how risk reads: in words, with its class behind it.
import { Eye, type LucideIcon, OctagonAlert, ShieldAlert, TriangleAlert, Box } from "lucide-react";
import type { Risk } from "../api/types";
import { risk as words } from "../format/format";
import { Badge } from "../ui/badge";
import type { Tone } from "../ui/tone";

const LOOK: Record<Risk, { tone: Tone; icon: LucideIcon }> = {
  r0: { tone: "idle", icon: Eye },
  r1: { tone: "idle", icon: Box },
  r2: { tone: "run", icon: TriangleAlert },
  r3: { tone: "warn", icon: ShieldAlert },
  r4: { tone: "bad", icon: OctagonAlert },
};

export function RiskBadge({ risk }: { risk: Risk }) {
  const { tone, icon } = LOOK[risk];
  const { short, words: long, level } = words(risk);
  return (
    <Badge tone={tone} icon={icon} title={`${level}: ${long}`}>
      {short}
    </Badge>
  );
}
