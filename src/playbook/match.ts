import type { OperationTarget } from "../contract/incident.ts";
import type { Operation } from "../operation/index.ts";
import { similarity } from "./similarity.ts";
import { operationsOf } from "./steps.ts";
import type { MatchTerms, PlaybookRow, Symptoms } from "./types.ts";

export type Match = {
  playbook: PlaybookRow;
  similarity: number;
  /** Its steps as operations, on the incident's own target. */
  operations: [Operation, ...Operation[]];
};

type RunCounts = Pick<PlaybookRow, "runs" | "successes">;

/** Returns the share of its runs that succeeded; null: it has never run. */
export function successRate({ runs, successes }: RunCounts): number | null {
  return runs === 0 ? null : successes / runs;
}

/** Whether its success rate is sufficient; true where it has never run. */
export function meetsSuccessRate(playbook: RunCounts, terms: Pick<MatchTerms, "success_rate">): boolean {
  const rate = successRate(playbook);
  return rate === null || rate >= terms.success_rate;
}

function compare(one: Match, other: Match): number {
  return (
    other.similarity - one.similarity ||
    other.playbook.trust - one.playbook.trust ||
    (successRate(other.playbook) ?? 0) - (successRate(one.playbook) ?? 0) ||
    (one.playbook.playbook_id < other.playbook.playbook_id ? -1 : 1)
  );
}

/**
 * Returns the best playbook for this trouble: approved, similar enough, successful where it has run, and able to act on
 * the target. The most similar wins, then the most trusted. Pure; undefined where there is none.
 */
export function match(
  playbooks: readonly PlaybookRow[],
  about: Symptoms & { target: OperationTarget | null },
  terms: MatchTerms,
): Match | undefined {
  const fitting = playbooks.flatMap((playbook): Match[] => {
    if (playbook.status !== "approved" || !meetsSuccessRate(playbook, terms)) return [];
    const like = similarity(about, playbook.pattern);
    if (like === 0 || like < terms.similarity) return [];
    const operations = operationsOf(playbook.steps, about.target);
    return operations === null ? [] : [{ playbook, similarity: like, operations }];
  });
  return fitting.sort(compare)[0];
}
