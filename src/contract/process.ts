import { z } from "zod";
import { shownKind, wireText, wireTime } from "./common.ts";

/** A process name in a path, as the configuration may have it. */
export const processName = z.string().regex(/^[A-Za-z0-9._-]{1,63}$/, "is not a name of a process");

/** A supervised process. */
export const process = z.object({
  name: z.string(),
  /**
   * `starting`, `stopping`: asked for, and not done yet. `stopped`: on purpose. `down`: its watch has it for broken, and its
   * alert fires. `not_running`: it does not run, and that raises no alert. `unknown`: what runs could not be looked up.
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
  /** null: none runs. */
  pid: z.number().int().nullable(),
  started_at: wireTime.nullable(),
  /** Pids that were started for it and live outside of its record, as of a program that puts itself into the background. */
  copies: z.array(z.number().int()),
  /** It runs as it was started, and is configured otherwise since: that takes effect at its next start. */
  changed: z.boolean(),
  autostart: z.boolean(),
  /** Whether what is broken of it raises an alert. */
  watched: z.boolean(),
  /** What its probe last answered; null: it has none, or was not asked yet. Not `asked`: for a reason of the server's own. */
  probe: z.object({ ok: z.boolean(), asked: z.boolean(), message: z.string(), at: wireTime }).nullable(),
  /** Why and since when the server cannot tell whether it is well, for a reason of its own; null: it can. */
  unseen: z.object({ why: z.string(), since: wireTime }).nullable(),
  down_since: wireTime.nullable(),
  /** Why it is down, or why the latest start or stop did not come about. */
  problem: z.string().nullable(),
  /** Who asked for the latest start or stop; null: nobody did. */
  asked_by: z.string().nullable(),
  asked_by_kind: shownKind.nullable(),
  asked_at: wireTime.nullable(),
});
export type WireProcess = z.infer<typeof process>;

export const processList = z.object({ items: z.array(process) });

/** What goes with a start or stop. */
export const processComment = z.strictObject({ comment: wireText(1_000).optional() });
