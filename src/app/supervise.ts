import type { Ctx } from "../db/ctx.ts";
import { type ProcessSupervisor, Supervision } from "../supervision/index.ts";
import type { ActiveConfig } from "./config/active.ts";

// As Alertmanager's repeat_interval; half of incident.ttl if that is shorter, so that the alert is repeated before it expires.
const REMIND_SECONDS = 4 * 3_600;

/** Creates the supervision of processes, reads which were stopped on purpose, and starts no process yet. */
export async function createSupervision(
  ctx: Ctx,
  { current }: ActiveConfig,
  stopped: Map<string, string>,
): Promise<Supervision> {
  const supervision = new Supervision({
    ctx,
    supervisor: () => current().supervisor,
    gateway: () => current().gateway,
    again: () => Math.min(REMIND_SECONDS, current().config.incident.ttl / 2),
    stopped,
  });
  await supervision.begin();
  return supervision;
}

/** Returns notes on running processes that a reload leaves as they are: changed ones and those no longer configured. */
export async function processNotes(before: ProcessSupervisor, now: ProcessSupervisor): Promise<string[]> {
  const notes = await Promise.all(
    before.processes.map(async ({ name, launch }) => {
      const kept = now.processes.find((one) => one.name === name);
      if (kept?.launch === launch) return [];
      const running = await before.find(name);
      if (running === null) return [];
      if (kept === undefined)
        return [`process ${name} is no longer supervised; pid ${running.pid} is left running`];
      return [
        `process ${name} is changed, in effect from its next start; pid ${running.pid} runs on unchanged`,
      ];
    }),
  );
  return notes.flat();
}
