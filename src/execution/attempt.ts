import { authorise } from "../access/index.ts";
import { record } from "../audit/index.ts";
import type { Ctx } from "../db/ctx.ts";
import { transaction } from "../db/transaction.ts";
import { note, setMitigating } from "../incident/index.ts";
import { messageOf } from "../lib/error.ts";
import { redactText } from "../lib/redact.ts";
import { inWords, type Operation } from "../operation/index.ts";
import { tell } from "../outbox/index.ts";
import { authoriseCall, type Call } from "./authorise.ts";
import { auditCall, readThrough } from "./gateway.ts";
import { logged } from "./log-entry.ts";
import type { Refusal } from "./refusals.ts";
import {
  busyWith,
  earlierWith,
  endAttempt,
  ended,
  findAttempt,
  findExecution,
  insertAttempt,
  lockExecution,
  lockTarget,
  updateExecution,
  wasSent,
} from "./store.ts";
import { traitsFor } from "./traits.ts";
import { isTransient } from "./transient.ts";
import type { ActResult, ExecutionRow, Executor, Run, RunOptions } from "./types.ts";

/** What came of an attempt; `again` asks for the attempt `next` after `wait` seconds. */
export type AttemptOutcome =
  | { kind: "acted"; known: boolean }
  | { kind: "failed" }
  | { kind: "refused" }
  | { kind: "again"; wait: number; next: number };

const STDERR_LIMIT = 8_000;
const ERROR_LIMIT = 2_000;
const NOT_DONE = "interrupted before it took effect";

const clip = (text: string, most = STDERR_LIMIT) =>
  redactText(text.replaceAll("\0", "")).slice(0, most).toWellFormed();
/** What is kept of what went wrong. */
export const clipError = (text: string) => clip(text, ERROR_LIMIT);

/** The call of the gateway that an execution is. */
export function callOf(execution: ExecutionRow): Omit<Call, "scope"> {
  const { caller, execution_id, approval_id, plan_hash, incident_id, operation, step } = execution;
  return {
    caller,
    incident_id,
    operation,
    run: { execution_id, approval_id, plan_hash, step },
  };
}

type Start =
  | { kind: "go"; executor: Executor; execution: ExecutionRow }
  | { kind: "busy" }
  | { kind: "refused" }
  | { kind: "unsure" };

/** Whether the execution has ended; if not, it does not before this transaction. */
async function isOver(tx: Ctx, execution_id: string): Promise<boolean> {
  const execution = await lockExecution(tx, execution_id);
  return execution === undefined || ended(execution.status);
}

/** Whether another is acting on the target, or was signed before this one and has yet to act. */
async function mustWait(tx: Ctx, execution: ExecutionRow): Promise<boolean> {
  const { execution_id, approval_id, operation, attempts } = execution;
  if ((await busyWith(tx, execution_id, operation.target)) !== undefined) return true;
  return attempts === 0 && (await earlierWith(tx, approval_id, operation.target)) !== undefined;
}

/** Opens the attempt, under the lock of its target and with all gates asked in the same transaction. */
async function start(
  ctx: Ctx,
  execution: ExecutionRow,
  attempt: number,
  options: RunOptions,
): Promise<Start> {
  return transaction(ctx, async (tx) => {
    const { execution_id, incident_id, operation } = execution;
    await options.gateway.mayBegin(tx);
    // Of two at once the second must count the first: that is what the rates are for.
    await lockTarget(tx, "every target");
    await lockTarget(tx, operation.target);
    // The sweep may have ended it a moment ago: it said so to people, and that stands.
    if (await isOver(tx, execution_id)) return { kind: "refused" };
    if (await mustWait(tx, execution)) return { kind: "busy" };
    // Whatever it is: the gate asks for the tool's own scope.
    const call: Call = { ...callOf(execution), scope: "write" };
    const admission = await authoriseCall(tx, options.gateway, call);
    if (!admission.ok && (await wasSent(tx, execution_id))) {
      await stopShort(tx, execution, admission.refusal);
      return { kind: "unsure" };
    }
    if (!admission.ok) {
      await close(tx, execution, admission.refusal);
      return { kind: "refused" };
    }
    const now = tx.clock.now();
    await insertAttempt(tx, execution_id, attempt);
    const started = await updateExecution(tx, execution_id, {
      status: "running",
      attempts: attempt,
      started_at: execution.started_at ?? now,
    });
    await setMitigating(tx, incident_id, true);
    const text = attempt === 1 ? inWords(operation) : `${inWords(operation)} (attempt ${attempt})`;
    const event = attempt === 1 ? { event: "EXECUTION_STARTED" as const } : {};
    const row = logged(execution, { status: "pending", attempts: attempt });
    note(tx, { incident_id, kind: "execution", text, data: { execution_id, attempt, ...row }, ...event });
    record(tx, {
      action: "execution.started",
      subject: execution_id,
      data: { incident_id, attempt, operation },
    });
    // Of the steps after the first people hear when all is over.
    if (attempt === 1 && execution.step === 1)
      tell(tx, { topic: "execution.started", incident_id, payload: { execution_id } });
    return { kind: "go", executor: admission.executor, execution: started };
  });
}

/** No further attempt is allowed, but an earlier one may have had an effect: that is verified. */
async function stopShort(tx: Ctx, execution: ExecutionRow, refusal: Refusal): Promise<void> {
  const { execution_id, incident_id } = execution;
  const { gate, code, message } = refusal;
  await updateExecution(tx, execution_id, { status: "verifying", error: message, error_code: code });
  const text = `No further attempt: ${message}`;
  const row = logged(execution, {
    status: "failed",
    attempts: execution.attempts,
    error: clipError(message),
  });
  const data = { execution_id, gate, code, ...row };
  note(tx, { incident_id, kind: "execution", text, data, event: "GUARDRAIL_BLOCKED" });
  await auditCall(tx, callOf(execution), { what: "act", outcome: "refused", gate, code });
}

async function close(tx: Ctx, execution: ExecutionRow, refusal: Refusal): Promise<void> {
  const { execution_id, incident_id } = execution;
  const { gate, code, message } = refusal;
  await updateExecution(tx, execution_id, {
    status: "refused",
    error: message,
    error_code: code,
    ended_at: tx.clock.now(),
  });
  note(tx, {
    incident_id,
    kind: "execution",
    text: `Refused: ${message}`,
    data: {
      ...{ execution_id, gate, code },
      ...logged(execution, { status: "failed", attempts: execution.attempts, error: clipError(message) }),
    },
    event: "GUARDRAIL_BLOCKED",
  });
  const { operation } = execution;
  const data = { incident_id, status: "refused", operation };
  record(tx, { action: "execution.ended", subject: execution_id, data });
  await auditCall(tx, callOf(execution), { what: "act", outcome: "refused", gate, code });
  tell(tx, {
    topic: "execution.finished",
    incident_id,
    payload: { execution_id, status: "refused" },
  });
}

/** Runs `act` with a bound: it is told to stop, and what it was at may have been sent. */
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
  traitsFor(gateway.executors, operation)?.idempotent ?? false;

/** Writes down how an attempt ended and says what follows from it. */
async function finish(
  ctx: Ctx,
  execution: ExecutionRow,
  attempt: number,
  result: ActResult,
  options: RunOptions,
): Promise<AttemptOutcome> {
  const { execution_id, incident_id, operation } = execution;
  const outcome = followUp(result, attempt, isIdempotent(options, operation), options);
  const error = result.ok ? null : clipError(result.error);
  const output = result.ok ? clip(result.output) : null;
  const stderr = result.ok ? null : clip(result.stderr ?? "") || null;
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
    const row = logged(execution, { status: result.ok ? "success" : "failed", ...came });
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
  if (result.ok) return `Done: ${clip(result.output)}`;
  const next = { acted: "its effect is looked at", failed: "not tried again", refused: "", again: "" }[
    outcome.kind
  ];
  if (outcome.kind === "again") return `Failed, tried again in ${outcome.wait} s: ${clipError(result.error)}`;
  return `Failed, ${next}: ${clipError(result.error)}`;
}

/** Only what is transient is tried again, and only where nothing was sent or doing it twice is harmless. */
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

/** An attempt that has begun, by a process that may be gone: what is known of it decides, never a repetition. */
async function takeUp(
  ctx: Ctx,
  execution: ExecutionRow,
  run: Run,
  options: RunOptions,
): Promise<AttemptOutcome> {
  const seen = await readThrough(ctx, options.gateway, callOf(execution), "effect", (executor) =>
    executor.effect(execution.operation, run),
  );
  const effect = seen.ok ? seen.value : "cannot_tell";
  if (effect === "done") {
    const output = "It was interrupted, and had taken effect";
    return finish(ctx, execution, run.attempt, { ok: true, output }, options);
  }
  if (effect === "cannot_tell") {
    const error = "interrupted: whether it took effect cannot be told";
    return finish(ctx, execution, run.attempt, { ok: false, error, sent: true }, { ...options, retries: 0 });
  }
  const { execution_id, incident_id } = execution;
  await transaction(ctx, async (tx) => {
    await endAttempt(tx, execution_id, run.attempt, { outcome: "failed", sent: false, error: NOT_DONE });
    const text = "Interrupted before it took effect: done again";
    note(tx, { incident_id, kind: "execution", text, data: { execution_id, attempt: run.attempt } });
  });
  return { kind: "again", wait: 0, next: run.attempt + 1 };
}

/**
 * One attempt at an execution, with its number. Safe to call again after a crash: an attempt that ended is
 * not made again, and one that was cut off is looked at first.
 */
export async function attemptExecution(
  ctx: Ctx,
  input: { execution_id: string; attempt: number },
  options: RunOptions,
): Promise<AttemptOutcome> {
  authorise(ctx.actor, "act", { people: "nobody", system: ["pipeline"] });
  const execution = await findExecution(ctx, input.execution_id);
  if (execution === undefined) throw new Error(`there is no execution ${input.execution_id}`);
  if (execution.status === "refused") return { kind: "refused" };
  if (execution.status === "failed") return { kind: "failed" };
  if (execution.status === "success") return { kind: "acted", known: true };
  const run: Run = { ...input, before: execution.before ?? {} };
  const earlier = await findAttempt(ctx, input.execution_id, input.attempt);
  // No further attempt was allowed: what the ones before came to is being verified.
  if (earlier === undefined && execution.status === "verifying") return { kind: "acted", known: false };
  if (earlier === undefined) {
    const started = await start(ctx, execution, input.attempt, options);
    if (started.kind === "busy") return { kind: "again", wait: options.busy_wait, next: input.attempt };
    if (started.kind === "refused") return { kind: "refused" };
    if (started.kind === "unsure") return { kind: "acted", known: false };
    const result = await act(started.executor, started.execution, run, options.timeout);
    return finish(ctx, started.execution, input.attempt, result, options);
  }
  if (earlier.outcome === null) return takeUp(ctx, execution, run, options);
  if (earlier.error === NOT_DONE) return { kind: "again", wait: 0, next: input.attempt + 1 };
  const result: ActResult =
    earlier.outcome === "success"
      ? { ok: true, output: execution.output ?? "" }
      : { ok: false, error: earlier.error ?? "", sent: earlier.sent ?? true };
  return followUp(result, input.attempt, isIdempotent(options, execution.operation), options);
}
