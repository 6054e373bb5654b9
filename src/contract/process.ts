import { z } from "zod";
import { shownKind, wireText, wireTime } from "./common.ts";

/** A process name in a path, in the form that the configuration allows. */
export const processName = z.string().regex(/^[A-Za-z0-9._-]{1,63}$/, "is not a process name");

/** A supervised process. */
export const process = z.object({
  name: z.string(),
  /**
   * `starting`, `stopping`: requested and not done yet. `stopped`: on purpose. `down`: its watch considers it broken, and
   * its alert fires. `not_running`: it does not run, and that raises no alert. `unknown`: its state could not be read.
   */
  state: z.enum([
    "running",
    "suspended",
    "starting",
    "stopping",
    "stopped",
    "down",
    "not_running",
    "unknown",
  ]),
  /** null: it does not run. */
  pid: z.number().int().nullable(),
  started_at: wireTime.nullable(),
  /** Pids started for it that run outside its record, as when a program puts itself into the background. */
  copies: z.array(z.number().int()),
  /** Whether its configuration has changed since it was started: the change takes effect at its next start. */
  changed: z.boolean(),
  autostart: z.boolean(),
  /** Whether it raises an alert when it is broken. */
  watched: z.boolean(),
  /** Last answer of its probe; null: it has none or has not run. `asked` false: the probe failed on the server's side. */
  probe: z.object({ ok: z.boolean(), asked: z.boolean(), message: z.string(), at: wireTime }).nullable(),
  /** Why and since when the server, for a reason of its own, cannot tell whether it is well; null: it can. */
  unseen: z.object({ why: z.string(), since: wireTime }).nullable(),
  down_since: wireTime.nullable(),
  /** Why it is down, or why the latest start or stop failed or waits. */
  problem: z.string().nullable(),
  /** Who requested the latest start or stop; null: there was no request. */
  asked_by: z.string().nullable(),
  asked_by_kind: shownKind.nullable(),
  asked_at: wireTime.nullable(),
});
export type WireProcess = z.infer<typeof process>;

export const processList = z.object({ items: z.array(process) });

/** The body of a request to start or stop. */
export const processComment = z.strictObject({ comment: wireText(1_000).optional() });
