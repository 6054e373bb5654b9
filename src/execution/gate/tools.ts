import { authorise } from "../../access/index.ts";
import type { Tool } from "../../contract/tool.ts";
import type { Ctx } from "../../db/ctx.ts";
import { traitsOf } from "../../operation/index.ts";
import type { Caller, Executor, GatewayOptions, ToolReport } from "../types.ts";

async function reportsOf(executor: Executor): Promise<ToolReport[]> {
  if (executor.tools !== undefined) return executor.tools();
  return executor.kinds.map((kind) => {
    const { tool, scope, risk, idempotent } = traitsOf({ kind });
    const own = { provider: executor.id, enabled: true, description: null, reachable: null, detail: null };
    return { tool, kind, scope, risk, idempotent, ...own };
  });
}

/** Returns every tool that the gateway offers, sorted by name; tests whether external ones can be reached. */
export async function listTools(ctx: Ctx, gateway: GatewayOptions): Promise<Tool[]> {
  authorise(ctx.actor, "list tools", { people: "viewer" });
  const { executors, disabled_tools, grants } = gateway;
  const reports = (await Promise.all(executors.map(reportsOf))).flat();
  const callers = Object.keys(grants) as Caller[];
  return reports
    .map((one) => ({
      ...one,
      enabled: one.enabled && !disabled_tools.includes(one.tool),
      granted_to: callers.filter((caller) => grants[caller].includes(one.scope)),
    }))
    .sort((a, b) => (a.tool < b.tool ? -1 : 1));
}
