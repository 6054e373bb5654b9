import { authorise } from "../../access/index.ts";
import { record } from "../../audit/index.ts";
import type { Ctx } from "../../db/ctx.ts";
import { transaction } from "../../db/transaction.ts";
import { note, setMitigating } from "../../incident/index.ts";
import { messageOf } from "../../lib/error.ts";
import { inWords, type Operation } from "../../operation/index.ts";
import { notify } from "../../outbox/index.ts";
import { type Admitted, admit, callOf } from "../gate/admit.ts";
import { auditCall, readThroughGateway } from "../gate/gateway.ts";
import { traitsFor } from "../gate/traits.ts";
import {
  endAttempt,
  ended,
  findAttempt,
  findExecution,
  insertAttempt,
  lockExecution,
  updateExecution,
} from "../store.ts";
import type { ActResult, ExecutionRow, Executor, Gateway, Run, RunOptions } from "../types.ts";
import { operationLogRow, storableError, storableText } from "./log-entry.ts";
import { isTransient } from "./transient.ts";

/** The outcome of an attempt; `again` asks for the attempt numbered `next` after `wait` seconds. */
export type AttemptOutcome =
  | { kind: "acted"; known: boolean }
  | { kind: "failed" }
  | { kind: "refused" }
  /** The execution is gone, has ended, is already being acted on here, or belongs to another turn. */
  | { kind: "over" }
  | { kind: "again"; wait: number; next: number };

const NOT_DONE = "interrupted before it took effect";

type Numbered = { execution_id: string; attempt: number; turn: number };

/** Locks the execution and returns whether it has ended; if not, it cannot end before this transaction does. */
async function isOver(tx: Ctx, execution_id: string): Promise<boolean> {
  const execution = await lockExecution(tx, execution_id);
  return execution === undefined || ended(execution.status);
}

/** Opens the attempt after all gates have been checked in the same transaction. */
async function start(ctx: Ctx, given: ExecutionRow, of: Numbered, options: RunOptions): Promise<Admitted> {
  return transaction(ctx, async (tx) => {
    const admitted = await admit(tx, given, of.turn, options.gateway);
    if (admitted.kind !== "go") return admitted;
    const { execution_id, incident_id, operation, started_at, step } = admitted.execution;
    const { attempt } = of;
    await insertAttempt(tx, execution_id, attempt);
    const execution = await updateExecution(tx, execution_id, {
      status: "running",
      attempts: attempt,
      started_at: started_at ?? tx.clock.now(),
    });
    await setMitigating(tx, incident_id, true);
    const text = attempt === 1 ? inWords(operation) : `${inWords(operation)} (attempt ${attempt})`;
    const event = attempt === 1 ? { event: "EXECUTION_STARTED" as const } : {};
    const row = operationLogRow(execution, { status: "pending", attempts: attempt });
    note(tx, { incident_id, kind: "execution", text, data: { execution_id, attempt, ...row }, ...event });
    record(tx, {
      action: "execution.started",
      subject: execution_id,
      data: { incident_id, attempt, operation },
    });
    // Only the first attempt of the first step is announced; people learn of later steps from `execution.finished`.
    if (attempt === 1 && step === 1)
      notify(tx, { topic: "execution.started", incident_id, payload: { execution_id } });
    return { ...admitted, execution };
  });
}

/** Runs `act` with a timeout in seconds: then its signal is aborted, and the result says that it may have been sent. */
async function act(
  executor: Executor,
  execution: ExecutionRow,
  run: Run,
  seconds: number,
): Promise<ActResult> {
  const stop = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const bound = new Promise<ActResult>((resolve) => {
    timer = setTimeout(() => {
      stop.abort();
      resolve({ ok: false, error: `timed out after ${seconds} s`, sent: true });
    }, seconds * 1000);
  });
  const begin = async () => executor.act(execution.operation, run, stop.signal);
  const acting = begin().catch(
    (error: unknown): ActResult => ({ ok: false, error: messageOf(error), sent: true }),
  );
  try {
    return await Promise.race([acting, bound]);
  } finally {
    clearTimeout(timer);
  }
}

const isIdempotent = ({ gateway }: RunOptions, operation: Operation) =>
  traitsFor(gateway().executors, operation)?.idempotent ?? false;

/** Stores how an attempt ended and returns what follows from it. */
async function finish(
  ctx: Ctx,
  execution: ExecutionRow,
  attempt: number,
  result: ActResult,
  options: RunOptions,
): Promise<AttemptOutcome> {
  const { execution_id, incident_id, operation } = execution;
  const outcome = followUp(result, attempt, isIdempotent(options, operation), options);
  const error = result.ok ? null : storableError(result.error);
  const output = result.ok ? storableText(result.output) : null;
  const stderr = result.ok ? null : storableText(result.stderr ?? "") || null;
  return transaction(ctx, async (tx) => {
    const over = await isOver(tx, execution_id);
    const began = await endAttempt(tx, execution_id, attempt, {
      outcome: result.ok ? "success" : outcome.kind === "acted" ? "unknown" : "failed",
      sent: result.ok || result.sent,
      error,
    });
    if (!over) {
      await updateExecution(tx, execution_id, {
        error,
        ...(result.ok ? { output } : { stderr }),
        ...(outcome.kind === "acted" ? { status: "verifying" as const } : {}),
      });
    }
    const text = describe(result, outcome);
    const event = outcome.kind === "again" ? {} : { event: "EXECUTION_COMPLETED" as const };
    const took = began === null ? {} : { duration_ms: tx.clock.now().getTime() - began.getTime() };
    const came = { attempts: attempt, output, error, stderr, ...took };
    const row = operationLogRow(execution, { status: result.ok ? "success" : "failed", ...came });
    note(tx, {
      ...{ incident_id, kind: "execution", text, ...event },
      data: { execution_id, attempt, error, ...row },
    });
    await auditCall(tx, callOf(execution), {
      what: "act",
      outcome: result.ok ? "ok" : (error ?? "failed"),
      ...took,
    });
    return over ? { kind: "failed" } : outcome;
  });
}

function describe(result: ActResult, outcome: AttemptOutcome): string {
  if (result.ok) return `Done: ${storableText(result.output)}`;
  const error = storableError(result.error);
  if (outcome.kind === "again") return `Failed, next attempt in ${outcome.wait} s: ${error}`;
  return `Failed, ${outcome.kind === "acted" ? "its effect is being verified" : "no further attempt"}: ${error}`;
}

/** Returns what follows from a result: a retry only of transient errors, where nothing was sent or it is idempotent. */
export function followUp(
  result: ActResult,
  attempt: number,
  idempotent: boolean,
  options: Pick<RunOptions, "retries" | "retry_wait">,
): AttemptOutcome {
  if (result.ok) return { kind: "acted", known: true };
  const repeatable = !result.sent || idempotent;
  if (isTransient(result) && repeatable && attempt <= options.retries) {
    return { kind: "again", wait: options.retry_wait, next: attempt + 1 };
  }
  return result.sent ? { kind: "acted", known: false } : { kind: "failed" };
}

/** Resumes an open attempt of a process that may have died: asks the executor for its effect before any repetition. */
async function resumeAttempt(
  ctx: Ctx,
  execution: ExecutionRow,
  run: Run,
  options: RunOptions,
): Promise<AttemptOutcome> {
  const seen = await readThroughGateway(ctx, options.gateway, callOf(execution), "effect", (executor) =>
    executor.effect(execution.operation, run),
  );
  const effect = seen.ok ? seen.value : "cannot_tell";
  if (effect === "done") {
    const output = "It was interrupted after it took effect";
    return finish(ctx, execution, run.attempt, { ok: true, output }, options);
  }
  if (effect === "cannot_tell") {
    const error = "interrupted: whether it took effect is unknown";
    return finish(ctx, execution, run.attempt, { ok: false, error, sent: true }, { ...options, retries: 0 });
  }
  const { execution_id, incident_id } = execution;
  await transaction(ctx, async (tx) => {
    await endAttempt(tx, execution_id, run.attempt, { outcome: "failed", sent: false, error: NOT_DONE });
    const text = "Interrupted before it took effect: repeated";
    note(tx, { incident_id, kind: "execution", text, data: { execution_id, attempt: run.attempt } });
  });
  return { kind: "again", wait: 0, next: run.attempt + 1 };
}

// Cap on the wait, so that an execution far back in a queue notices when the queue suddenly shortens.
const LONGEST_WAITS = 10;

/** Returns the seconds until a waiting execution asks again whether it may act: `busy_wait` each ahead, at most 10 times. */
export const queueWait = (ahead: number, { busy_wait }: Pick<RunOptions, "busy_wait">) =>
  busy_wait * Math.min(ahead, LONGEST_WAITS);

/** Begins a new attempt if the gates and the queue of its target admit it, acts, and stores the result. */
async function attemptNow(
  ctx: Ctx,
  execution: ExecutionRow,
  of: Numbered,
  options: RunOptions,
): Promise<AttemptOutcome> {
  const { attempt } = of;
  const started = await start(ctx, execution, of, options);
  switch (started.kind) {
    case "busy":
      return { kind: "again", wait: queueWait(started.ahead, options), next: attempt };
    case "unsure":
      return { kind: "acted", known: false };
    case "refused":
    case "over":
      return { kind: started.kind };
    case "go": {
      const { execution_id, before } = started.execution;
      const run: Run = { execution_id, attempt, before: before ?? {} };
      const result = await act(started.executor, started.execution, run, options.timeout);
      return finish(ctx, started.execution, attempt, result, options);
    }
  }
}

// Ids of the executions that each running server is acting on: their open attempts belong to a live process, and a second
// call for one of them returns `over`.
const IN_HAND = new WeakMap<Gateway, Set<string>>();

function inHandOf(gateway: Gateway): Set<string> {
  const known = IN_HAND.get(gateway) ?? new Set();
  IN_HAND.set(gateway, known);
  return known;
}

/**
 * Makes attempt number `attempt` at an execution in the given turn. Safe to call again after a crash: an attempt that
 * ended is not repeated, and for one that was cut off the executor is first asked whether it took effect.
 */
export async function attemptExecution(
  ctx: Ctx,
  { execution_id, attempt, turn = 0 }: { execution_id: string; attempt: number; turn?: number },
  options: RunOptions,
): Promise<AttemptOutcome> {
  authorise(ctx.actor, "act", { people: "none", system: ["pipeline"] });
  const inHand = inHandOf(options.gateway);
  if (inHand.has(execution_id)) return { kind: "over" };
  inHand.add(execution_id);
  try {
    return await attemptIn(ctx, { execution_id, attempt, turn }, options);
  } finally {
    inHand.delete(execution_id);
  }
}

async function attemptIn(
  ctx: Ctx,
  { execution_id, attempt, turn }: Numbered,
  options: RunOptions,
): Promise<AttemptOutcome> {
  const execution = await findExecution(ctx, execution_id);
  if (execution === undefined) throw new Error(`there is no execution ${execution_id}`);
  if (execution.turn !== turn) return { kind: "over" };
  if (execution.status === "refused") return { kind: "refused" };
  if (execution.status === "failed") return { kind: "failed" };
  if (execution.status === "success") return { kind: "acted", known: true };
  const earlier = await findAttempt(ctx, execution_id, attempt);
  // No further attempt was allowed: the effect of the earlier ones is being verified.
  if (earlier === undefined && execution.status === "verifying") return { kind: "acted", known: false };
  if (earlier === undefined) return attemptNow(ctx, execution, { execution_id, attempt, turn }, options);
  const run: Run = { execution_id, attempt, before: execution.before ?? {} };
  if (earlier.outcome === null) return resumeAttempt(ctx, execution, run, options);
  if (earlier.error === NOT_DONE) return { kind: "again", wait: 0, next: attempt + 1 };
  const result: ActResult =
    earlier.outcome === "success"
      ? { ok: true, output: execution.output ?? "" }
      : { ok: false, error: earlier.error ?? "", sent: earlier.sent ?? true };
  return followUp(result, attempt, isIdempotent(options, execution.operation), options);
}
