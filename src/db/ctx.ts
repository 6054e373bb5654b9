import type { Actor } from "../lib/actor.ts";
import type { Clock } from "../lib/clock.ts";
import type { Random } from "../lib/id.ts";
import type { Log } from "../lib/log.ts";
import type { Db } from "./client.ts";

/** What every verb is given first. `db` may be a transaction that is already open, which the verb joins. */
export type Ctx = { db: Db; actor: Actor; clock: Clock; random: Random; log: Log };
