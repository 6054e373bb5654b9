import type { Actor } from "../lib/actor.ts";
import type { Clock } from "../lib/clock.ts";
import type { Random } from "../lib/id.ts";
import type { Log } from "../lib/log.ts";
import type { Db } from "./client.ts";

/** The first argument of every verb. `db` may be an open transaction, which the verb joins. */
export type Ctx = { db: Db; actor: Actor; clock: Clock; random: Random; log: Log };
