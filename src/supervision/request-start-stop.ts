import { authorise } from "../access/index.ts";
import { record } from "../audit/index.ts";
import type { Ctx } from "../db/ctx.ts";
import { transaction } from "../db/transaction.ts";
import { admitUnplanned, type Gateway } from "../execution/index.ts";
import { actorLabel } from "../lib/actor.ts";
import { AwoooiError } from "../lib/error.ts";
import { traitsOf } from "../operation/index.ts";
import { endAlert } from "./alert.ts";
import { lockProcess, updateProcess } from "./store.ts";
import type { ProcessRow, SupervisedProcess } from "./types.ts";

export type StartStopRequest = { name: string; to: "start" | "stop"; comment?: string | undefined };

/** The configured processes, and whether anything of a process runs. */
export type Running = { processes: readonly SupervisedProcess[]; runs: (name: string) => Promise<boolean> };

/**
 * Records that a person wants a process started or stopped, which is carried out soon after the commit. It needs no plan,
 * but the role of an approver, or of an admin where a restart takes more than one signature. A stopped process stays
 * stopped until it is started, and its alert ends; the alert of a started one ends when it is well. Repeating a request
 * keeps the first asker. Throws `not_found`, and `conflict` while changes are stopped.
 */
export async function requestStartStop(
  ctx: Ctx,
  { name, to, comment }: StartStopRequest,
  { processes, runs }: Running,
  gateway: Gateway,
): Promise<{ process: SupervisedProcess; row: ProcessRow }> {
  const { required_signatures } = gateway();
  const alone = required_signatures[traitsOf({ kind: "process.restart" }).risk] <= 1;
  authorise(ctx.actor, `${to} processes`, { people: alone ? "approver" : "admin" });
  const process = processes.find((one) => one.name === name);
  if (process === undefined)
    throw new AwoooiError("not_found", `There is no process ${name} in the configuration.`);
  const running = await runs(name);
  return transaction(ctx, async (tx) => {
    const refused = await admitUnplanned(tx, gateway);
    if (refused !== undefined) throw new AwoooiError("conflict", `${refused.message}.`);
    const row = await lockProcess(tx, name);
    // A process that is being started is not well yet: its alert ends when it is.
    if (to === "stop") await endAlert(tx, process, row);
    record(tx, { action: `process.${to}_asked`, subject: name, data: { comment, before: row.state } });
    const state = to === "start" ? "starting" : "stopping";
    if (row.state === state || (to === "stop" && row.state === "stopped" && !running))
      return { process, row };
    const asked = await updateProcess(tx, name, {
      state,
      problem: null,
      asked_by: actorLabel(tx.actor),
      asked_by_kind: tx.actor.kind,
      asked_at: tx.clock.now(),
      told_at: to === "stop" ? null : row.told_at,
    });
    return { process, row: asked };
  });
}
