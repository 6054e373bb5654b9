import type { BlastRadius } from "../contract/approval.ts";
import { counted } from "../lib/words.ts";

/** Returns what a plan with these steps may affect, in words: `2 pods, away for about 30 s, data WRITE, related: shop`. */
export function blastRadiusInWords(
  { affected_pods, estimated_downtime, data_impact, related_services }: BlastRadius,
  steps: readonly { kind: string }[],
): string {
  // Only a plan that changes a cluster says that it affects no pods: others have none.
  const hasPods = affected_pods > 0 || steps.some(({ kind }) => kind.startsWith("kubernetes."));
  return [
    ...(hasPods ? [counted(affected_pods, "pod")] : []),
    `away for about ${estimated_downtime} s`,
    `data ${data_impact}`,
    ...(related_services.length === 0 ? [] : [`related: ${related_services.join(", ")}`]),
  ].join(", ");
}
