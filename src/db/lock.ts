import { hostname } from "node:os";
import pg from "pg";
import { AwoooiError, messageOf } from "../lib/error.ts";
import type { Log } from "../lib/log.ts";
import { wait } from "../lib/wait.ts";
import type { Connection } from "./client.ts";

/** Keys of the advisory locks: arbitrary fixed numbers, all different. */
export const LOCKS = {
  migration: 7_306_001,
  server: 7_306_002,
  audit: 7_306_003,
  fingerprint: 7_306_004,
  target: 7_306_005,
  playbooks: 7_306_006,
  people: 7_306_007,
  heartbeats: 7_306_008,
} as const;

/** Held while this process is the one server of its database. */
export type ServerLock = { release(): Promise<void> };

const NAME = /^awoooi server pid=(\d+) host=(.*)$/;

async function tryLock(connection: Connection): Promise<{ client: pg.Client; holder: string | null }> {
  const client = new pg.Client({
    ...("url" in connection ? { connectionString: connection.url } : connection),
    application_name: `awoooi server pid=${process.pid} host=${hostname()}`.slice(0, 63),
    connectionTimeoutMillis: 5_000,
    query_timeout: 5_000,
    keepAlive: true,
  });
  client.on("error", () => {});
  await client.connect();
  const taken = await client.query<{ ok: boolean }>("select pg_try_advisory_lock($1) ok", [LOCKS.server]);
  if (taken.rows[0]?.ok === true) return { client, holder: null };
  const other = await client.query<{ name: string }>(
    `select a.application_name as name from pg_locks l join pg_stat_activity a using (pid)
      where l.locktype = 'advisory' and l.granted and l.objsubid = 1
        and (l.classid::bigint << 32 | l.objid::bigint) = $1
        and l.database = (select oid from pg_database where datname = current_database())`,
    [LOCKS.server],
  );
  return { client, holder: other.rows[0]?.name ?? "unknown" };
}

/**
 * Makes this process the one server of the database, or throws `conflict` with the pid of the other one.
 * The advisory lock is held by a connection of its own; if that is lost, the lock is taken again as soon
 * as the database is reachable, and `onLost` is called if another server was faster.
 */
export async function holdServerLock(
  connection: Connection,
  log: Log,
  onLost: () => void,
): Promise<ServerLock> {
  const stop = new AbortController();
  let held = await tryLock(connection);
  // PostgreSQL may not have noticed yet that a server was killed a moment ago.
  for (let attempt = 0; held.holder !== null && attempt < 10; attempt += 1) {
    await held.client.end();
    await wait(100);
    held = await tryLock(connection);
  }
  if (held.holder !== null) {
    await held.client.end();
    const [, pid, host] = NAME.exec(held.holder) ?? [];
    const who = pid === undefined ? held.holder : `pid ${pid}${host === hostname() ? "" : ` on ${host}`}`;
    throw new AwoooiError(
      "conflict",
      `Another AWOOOI server (${who}) is using this database; stop it first.`,
    );
  }

  const keep = (client: pg.Client) => {
    client.once("end", () => {
      if (!stop.signal.aborted) void regain();
    });
  };
  const regain = async () => {
    while (!stop.signal.aborted) {
      await wait(500, stop.signal);
      try {
        const next = await tryLock(connection);
        held = next;
        if (next.holder === null) return keep(next.client);
        await next.client.end();
        log.error({ holder: next.holder }, "another server has taken over this database");
        return onLost();
      } catch (error) {
        log.debug({ error: messageOf(error) }, "the server lock cannot be taken yet");
      }
    }
  };
  keep(held.client);
  return {
    async release() {
      stop.abort();
      await held.client.end().catch(() => {});
    },
  };
}
