import { record } from "../../audit/index.ts";
import type { Ctx } from "../../db/ctx.ts";
import { transaction } from "../../db/transaction.ts";
import { clip } from "../../lib/clip.ts";
import { messageOf } from "../../lib/error.ts";
import { redactText } from "../../lib/redact.ts";
import { withTimeout } from "../../lib/wait.ts";
import { redactedOperation, toolOf } from "../../operation/index.ts";
import type { Executor, Gateway } from "../types.ts";
import { authoriseCall, authoriseObservation, type Call } from "./authorise.ts";
import type { Refusal } from "./refusals.ts";

/** Cuts a system's message to one line of at most 1,000 characters: people see it, and the ledger keeps it. */
const inLine = (text: string) => clip(text.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, " "), 1_000);

/** Reads through the gateway, audited: for resolving, dry-runs, snapshots and checks of an act's effect. */
export async function readThroughGateway<T>(
  ctx: Ctx,
  gateway: Gateway,
  call: Omit<Call, "scope">,
  what: string,
  read: (executor: Executor) => Promise<T>,
): Promise<{ ok: true; value: T } | { ok: false; message: string; refusal?: Refusal }> {
  const options = gateway();
  const admission = await authoriseCall(ctx, options, { ...call, scope: "read" });
  const started = ctx.clock.now().getTime();
  const result = admission.ok
    ? await withTimeout(options.read_timeout, what, (async () => read(admission.executor))()).then(
        (value) => ({ ok: true as const, value }),
        (error: unknown) => ({ ok: false as const, message: inLine(redactText(messageOf(error))) }),
      )
    : { ok: false as const, message: admission.refusal.message, refusal: admission.refusal };
  await auditCall(ctx, call, {
    what,
    outcome: result.ok ? "ok" : result.message,
    duration_ms: ctx.clock.now().getTime() - started,
    ...(admission.ok ? {} : { gate: admission.refusal.gate, code: admission.refusal.code }),
  });
  return result;
}

/** Returns why a target may not be observed now with this tool, if so. Call it before each read; refusals are audited. */
export async function admitObservation(
  ctx: Ctx,
  gateway: Gateway,
  call: Omit<Call, "scope" | "run">,
  tool: string | undefined,
): Promise<Refusal | undefined> {
  const refused = authoriseObservation(gateway(), { caller: call.caller, tool });
  if (refused === undefined) return undefined;
  const { message: outcome, gate, code } = refused;
  await auditCall(ctx, call, { what: "look", outcome, gate, code });
  return refused;
}

/** Records a call of the gateway in the ledger. */
export async function auditCall(
  ctx: Ctx,
  call: Omit<Call, "scope">,
  outcome: { what: string; outcome: string; duration_ms?: number; gate?: number; code?: string },
): Promise<void> {
  const { caller, incident_id, operation, run } = call;
  const tool = toolOf(operation);
  await transaction(ctx, async (tx) => {
    record(tx, {
      action: "gateway.call",
      subject: run?.execution_id ?? incident_id,
      data: {
        caller,
        tool,
        incident_id,
        approval_id: run?.approval_id,
        operation: redactedOperation(operation),
        ...outcome,
      },
    });
  });
}
