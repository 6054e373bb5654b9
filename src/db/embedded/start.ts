import pg from "pg";
import { AwoooiError, messageOf } from "../../lib/error.ts";
import type { Log } from "../../lib/log.ts";
import { wait } from "../../lib/wait.ts";
import { type Cluster, NAME, openPrivateDir, PORT } from "./cluster.ts";
import { logTail } from "./log.ts";
import {
  acceptsConnections,
  identifyProcess,
  launchPostmaster,
  type Postmaster,
  readLockFile,
  takeOverPostmaster,
  terminate,
} from "./process.ts";

/** Options for `new pg.Pool(…)`. Port and TLS are set so that PGPORT and PGSSLMODE have no effect. */
export type EmbeddedConnection = {
  /** The socket's folder. */
  host: string;
  port: number;
  user: string;
  database: string;
  password: string;
  ssl: false;
};

// Temporary errors, caused by orphans of a killed server or by a concurrent start.
const PASSING = /pre-existing shared memory block|lock file "[^"]*" (already exists|is empty)/;

export function connectionOf(cluster: Cluster): EmbeddedConnection {
  const { socketDir: host, password } = cluster;
  return { host, port: PORT, user: NAME, database: NAME, password, ssl: false };
}

/**
 * Finds or starts the server of `cluster`, and returns when it answers, or at once on an abort. Sets
 * `cluster.socketDir` to that of a server it found. Throws `unavailable` if the server does not start (with
 * `retryAfter` if the cause is temporary) and `conflict` if the existing server or data cannot be used.
 */
export async function ensurePostmaster(
  cluster: Cluster,
  log: Log,
  signal?: AbortSignal,
): Promise<Postmaster> {
  for (;;) {
    const postmaster = await findOrLaunch(cluster);
    if (postmaster === undefined) continue;
    try {
      if (await becomesReady(postmaster, cluster, log, signal)) return postmaster;
    } catch (error) {
      if (!postmaster.takenOver) await terminate(postmaster, log);
      throw error;
    }
    if (signal?.aborted) return postmaster;
    if (postmaster.takenOver) continue;
    // A concurrent start may have been faster: then use its server.
    const winner = await readLockFile(cluster.dir);
    if (winner !== undefined && (await identifyProcess(winner.pid, cluster.dir)) === "server") continue;
    throw await startFailure(postmaster, cluster);
  }
}

/** Returns `undefined` when the state has changed meanwhile: the caller tries again. */
async function findOrLaunch(cluster: Cluster): Promise<Postmaster | undefined> {
  const found = await readLockFile(cluster.dir);
  const identity = found === undefined ? "gone" : await identifyProcess(found.pid, cluster.dir);
  if (found !== undefined && identity === "server") return takeOverPostmaster(found.pid, cluster.dir);
  const socketDir = found?.socketDir || cluster.socketDir;
  if (await acceptsConnections(socketDir)) {
    if (found !== undefined && identity === "unknown") return takeOverPostmaster(found.pid, cluster.dir);
    // A socket can outlive its server for a moment, and a concurrent start may have made a new one.
    await wait(500);
    if ((await readLockFile(cluster.dir))?.pid !== found?.pid || !(await acceptsConnections(socketDir)))
      return undefined;
    throw new AwoooiError(
      "conflict",
      `A PostgreSQL that this process cannot see, perhaps in another container, serves ${cluster.dir}: ` +
        "stop it first.",
    );
  }
  await openPrivateDir(cluster.socketDir, cluster.account);
  try {
    return await launchPostmaster(cluster, found?.pid);
  } catch (error) {
    throw new AwoooiError("unavailable", `PostgreSQL cannot be started: ${messageOf(error)}.`, {
      cause: error,
    });
  }
}

/** Waits until the server answers queries; returns false when it has ended, or on an abort. */
async function becomesReady(
  postmaster: Postmaster,
  cluster: Cluster,
  log: Log,
  signal?: AbortSignal,
): Promise<boolean> {
  const begun = performance.now();
  for (let pause = 10, told = false; ; pause = Math.min(pause * 1.5, 250)) {
    const held = await readLockFile(cluster.dir);
    // The server of a concurrent start may answer on the same socket; ours then ends by itself.
    if (held?.pid === postmaster.pid) {
      if (postmaster.takenOver && held.socketDir !== "") cluster.socketDir = held.socketDir;
      if (await answersQueries(cluster)) return true;
    }
    if ((await postmaster.ended(pause, signal)) !== undefined || signal?.aborted) return false;
    if (!told && performance.now() - begun > 10_000) {
      told = true;
      log.warn({ pid: postmaster.pid }, "PostgreSQL is still starting, perhaps recovering from a crash");
    }
  }
}

async function answersQueries(cluster: Cluster): Promise<boolean> {
  const limits = { connectionTimeoutMillis: 5_000, query_timeout: 5_000 };
  const client = new pg.Client({ ...connectionOf(cluster), ...limits, application_name: "awoooi probe" });
  client.on("error", () => {});
  try {
    await client.connect();
    await client.query("select 1");
    return true;
  } catch (error) {
    const code = (error as { code?: string }).code ?? "";
    if (code.startsWith("28")) {
      throw new AwoooiError(
        "conflict",
        `The database in ${cluster.dir} does not accept the password kept beside it: restore the right ` +
          `${cluster.dir}.password.`,
      );
    }
    if (code === "3D000") {
      throw new AwoooiError(
        "conflict",
        `The server of ${cluster.dir} has no database "${NAME}": restore it.`,
      );
    }
    // Too many connections: the server works.
    return code === "53300";
  } finally {
    await client.end().catch(() => {});
  }
}

async function startFailure(postmaster: Postmaster, cluster: Cluster): Promise<AwoooiError> {
  const text = await logTail(cluster.logFile, postmaster.logStart);
  const lines = text.split("\n").filter((line) => line !== "");
  // Skip the lines about connections of our own probes that were refused.
  const reason =
    lines.findLast((line) => /(FATAL|PANIC): (?!.*(starting up|accepting connections))/.test(line)) ??
    lines.at(-1) ??
    "its log is empty";
  return new AwoooiError(
    "unavailable",
    `PostgreSQL does not start (${await postmaster.ended(0)}): ${reason.replace(/^.*(FATAL|PANIC): +/, "")}. ` +
      `Its log is ${cluster.logFile}.`,
    PASSING.test(text) ? { retryAfter: 1 } : {},
  );
}
