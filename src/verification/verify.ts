import type { Observation, Verification } from "../contract/execution.ts";
import type { OperationTarget } from "../contract/incident.ts";
import type { Clock } from "../lib/clock.ts";
import { messageOf } from "../lib/error.ts";
import { redactText, redactTexts } from "../lib/redact.ts";
import { wait, withTimeout } from "../lib/wait.ts";
import type { Observer, PerformedAction, VerificationTerms } from "./types.ts";

/** Observes a target, for `seconds` at most; null when no configured observer knows it. An error: `healthy` is null. */
export async function observeTarget(
  observers: readonly Observer[],
  target: OperationTarget | null,
  clock: Clock,
  seconds: number,
  deed?: PerformedAction,
): Promise<Observation | null> {
  if (target === null) return null;
  const observer = observers.find((one) => one.observes(target));
  if (observer === undefined) return null;
  const now = clock.now();
  try {
    // Redacted because observations are stored, shown and sent on, and a target's output may contain credentials.
    return redactTexts(
      await withTimeout(seconds, "observing", (async () => observer.observe(target, now, deed))()),
    );
  } catch (error) {
    const fact = { name: observer.id, passed: false, message: redactText(messageOf(error)) };
    return { at: now.toISOString(), healthy: null, facts: [fact] };
  }
}

/** Compares the observations before and after an act. Pure. */
export function compare(before: Observation | null, after: Observation | null): Verification {
  const evidence = { before, after };
  if (after === null || after.healthy === null) {
    const reason =
      after === null ? "no observer for the target is configured" : "its state could not be determined";
    return { result: "inconclusive", reason, evidence };
  }
  if (after.healthy) {
    const reason = before?.healthy === true ? "it is healthy, and was before" : "it is healthy again";
    return { result: "success", reason, evidence };
  }
  const failing = after.facts.filter((fact) => !fact.passed);
  const names = failing.map((fact) => `${fact.name} (${fact.message})`).join(", ");
  const failedBefore = before?.facts.filter((fact) => !fact.passed).length ?? 0;
  const better = failing.length < failedBefore;
  return better
    ? { result: "degraded", reason: `it is better, but not healthy: ${names}`, evidence }
    : { result: "failed", reason: `it is not healthy: ${names}`, evidence };
}

/**
 * Observes a target until it has been healthy often enough in a row, or the time is over. Idempotent: it only reads.
 * The wait before the first observation is left to the caller, so that it survives a restart.
 */
export async function verify(
  observers: readonly Observer[],
  target: OperationTarget | null,
  before: Observation | null,
  terms: VerificationTerms,
  clock: Clock,
  more: { deed?: PerformedAction; signal?: AbortSignal } = {},
): Promise<Verification> {
  const { deed, signal } = more;
  const until = performance.now() + terms.collect * 1000;
  let healthy = 0;
  for (;;) {
    const after = await observeTarget(observers, target, clock, terms.look_timeout, deed);
    healthy = after?.healthy === true ? healthy + 1 : 0;
    const over = after === null || performance.now() >= until || signal?.aborted === true;
    if (healthy >= terms.healthy_in_a_row) return compare(before, after);
    if (over) {
      const lucky = after?.healthy === true;
      const verdict = compare(before, after);
      return lucky
        ? { ...verdict, result: "degraded", reason: "it is healthy, but not for long enough" }
        : verdict;
    }
    await wait(terms.interval * 1000, signal);
  }
}
