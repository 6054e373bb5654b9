import type { OperationTarget } from "../contract/incident.ts";

const KIND_WORDS: Record<string, string> = {
  compose_service: "compose service",
  horizontalpodautoscaler: "autoscaler",
};

/** Describes a target: `deployment api in prod`; empty for none. */
export function targetInWords(target: OperationTarget | null): string {
  if (target === null) return "";
  const name = `${KIND_WORDS[target.kind] ?? target.kind} ${target.name}`;
  const place = target.namespace ?? target.cluster;
  const where = place === undefined ? name : `${name} in ${place}`;
  return target.host === undefined || target.namespace !== undefined ? where : `${where} on ${target.host}`;
}

/** Formats name-value pairs: `cpu 1, memory 2Gi`. */
export const pairsInWords = (all: Readonly<Record<string, string | undefined>>): string =>
  Object.entries(all)
    .map(([name, value]) => `${name} ${value}`)
    .join(", ");
