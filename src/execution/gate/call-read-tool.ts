import type { Ctx } from "../../db/ctx.ts";
import type { Operation } from "../../operation/index.ts";
import type { ActResult, Caller, Gateway } from "../types.ts";
import { readThroughGateway } from "./gateway.ts";
import { traitsFor } from "./traits.ts";

/**
 * Calls an external tool that only reads, without an approval. Whether it only reads is what the operator configured,
 * not what its server claims; a tool that changes something is refused. Audited like every call.
 */
export async function callReadTool(
  ctx: Ctx,
  call: { caller: Caller; incident_id: string; operation: Extract<Operation, { kind: "tool.call" }> },
  gateway: Gateway,
): Promise<ActResult> {
  const { operation } = call;
  const { executors, read_timeout } = gateway();
  const read = await readThroughGateway(ctx, gateway, call, "call", async (executor) => {
    if (traitsFor(executors, operation)?.scope !== "read")
      throw new Error("the tool is not read-only: a change needs an approval");
    const run = { execution_id: "", attempt: 1, before: {} };
    const signal = AbortSignal.timeout(read_timeout * 1000);
    const result = await executor.act(operation, run, signal);
    if (!result.ok) throw new Error(result.error);
    return result;
  });
  return read.ok ? read.value : { ok: false, error: read.message, sent: true };
}
