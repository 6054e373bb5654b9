import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { readFile, rm, stat } from "node:fs/promises";
import { connect } from "node:net";
import { basename, join } from "node:path";
import { promisify } from "node:util";
import { messageOf } from "../../lib/error.ts";
import type { Log } from "../../lib/log.ts";
import { wait } from "../../lib/wait.ts";
import { spawnAs } from "./account.ts";
import { type Cluster, PORT, SERVER_ENV } from "./cluster.ts";
import { logSize, openLog } from "./log.ts";

/** The main process of a PostgreSQL server: our child, or one that an earlier AWOOOI process left running. */
export type Postmaster = {
  pid: number;
  takenOver: boolean;
  /** Size of the log in bytes when the server started; 0 if it was taken over. */
  logStart: number;
  /** Waits for its end and resolves to how it ended; `undefined` if it has not within `milliseconds` or before the abort. */
  ended(milliseconds: number, signal?: AbortSignal): Promise<string | undefined>;
};

/** Content of `postmaster.pid`, which a crashed server leaves behind. `socketDir` is empty early in a start. */
export type LockFile = { pid: number; socketDir: string };

/** What a pid is to a data folder: its server, another process, or gone; `unknown` if its command line is unreadable. */
export type ProcessIdentity = "server" | "unknown" | "other" | "gone";

const run = promisify(execFile);

export async function readLockFile(clusterDir: string): Promise<LockFile | undefined> {
  const file = join(clusterDir, "postmaster.pid");
  const text = await readFile(file, "utf8").catch(() => undefined);
  if (text === undefined) return undefined;
  const lines = text.split("\n");
  const pid = Number(lines[0]);
  if (Number.isInteger(pid) && pid > 0) return { pid, socketDir: lines[4] ?? "" };
  // Empty: about to be written, or left by a power failure; PostgreSQL does not start until that one is removed.
  const written = await stat(file).catch(() => undefined);
  if (written !== undefined && Date.now() - written.mtimeMs > 10_000) await rm(file, { force: true });
  return undefined;
}

/** Identifies a process by its command line: pids are reused, and a zombie keeps its pid. */
export async function identifyProcess(pid: number, clusterDir: string): Promise<ProcessIdentity> {
  const line = await commandLine(pid);
  if (line === undefined) return alive(pid) ? "unknown" : "gone";
  const [program, ...rest] = line;
  const serves = rest.some((argument, at) => argument === "-D" && rest[at + 1] === clusterDir);
  return serves && basename(program ?? "") === "postgres" ? "server" : "other";
}

async function commandLine(pid: number): Promise<string[] | undefined> {
  try {
    if (process.platform === "linux") return (await readFile(`/proc/${pid}/cmdline`, "utf8")).split("\0");
    const { stdout } = await run("ps", ["-o", "args=", "-p", String(pid)]);
    // `ps` does not separate arguments: rely on the form in which `launchPostmaster` starts it, `-D` first and then `-c` options.
    const [, program, dir] = /^(.*?) -D (.*?) -c /.exec(stdout) ?? [];
    return program === undefined || dir === undefined ? [stdout] : [program, "-D", dir];
  } catch {
    return undefined;
  }
}

function alive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

/**
 * Starts the server in a session of its own, so that neither our end nor a Ctrl-C stops it. `stalePid` is the
 * pid in the lock file when it does not belong to the server.
 */
export async function launchPostmaster(cluster: Cluster, stalePid: number | undefined): Promise<Postmaster> {
  const log = await openLog(cluster.logFile, cluster.account);
  try {
    const logStart = await logSize(cluster.logFile);
    const settings = {
      listen_addresses: "",
      unix_socket_directories: `"${cluster.socketDir.replaceAll('"', '""')}"`,
      unix_socket_permissions: "0700",
      port: String(PORT),
      fsync: "on",
      logging_collector: "off",
      log_destination: "stderr",
    };
    const child = spawn(
      join(cluster.binaries.dir, "postgres"),
      ["-D", cluster.dir, ...Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`])],
      {
        detached: true,
        stdio: ["ignore", log.fd, log.fd],
        cwd: "/",
        // PostgreSQL treats a lock file with this pid as stale, whichever process has the pid now. Deleting the
        // file ourselves could remove one that a concurrent start has just written.
        env: { ...SERVER_ENV, ...(stalePid === undefined ? {} : { PG_GRANDPARENT_PID: String(stalePid) }) },
        ...spawnAs(cluster.account),
      },
    );
    let end: string | undefined;
    child.once("exit", (code, signal) => {
      end = signal ?? `exit code ${code}`;
    });
    await once(child, "spawn");
    child.unref();
    return {
      pid: child.pid ?? 0,
      takenOver: false,
      logStart,
      async ended(milliseconds, signal) {
        if (end !== undefined) return end;
        const exited = new AbortController();
        const onExit = () => exited.abort();
        child.once("exit", onExit);
        await wait(milliseconds, AbortSignal.any(signal ? [exited.signal, signal] : [exited.signal]));
        child.off("exit", onExit);
        return end;
      },
    };
  } finally {
    await log.close();
  }
}

/** Returns the server that runs as `pid` and is not our child: its end is found by polling every 200 ms. */
export function takeOverPostmaster(pid: number, clusterDir: string): Postmaster {
  return {
    pid,
    takenOver: true,
    logStart: 0,
    async ended(milliseconds, signal) {
      const until = performance.now() + milliseconds;
      for (;;) {
        const identity = await identifyProcess(pid, clusterDir);
        if (identity === "gone" || identity === "other") return "it is gone";
        const left = until - performance.now();
        if (left <= 0 || signal?.aborted) return undefined;
        await wait(Math.min(left, 200), signal);
      }
    },
  };
}

/** Returns whether a server accepts connections on the socket in `dir`, even one in another container. */
export function acceptsConnections(dir: string): Promise<boolean> {
  return new Promise((done) => {
    const socket = connect(join(dir, `.s.PGSQL.${PORT}`));
    socket.once("error", () => done(false));
    socket.once("connect", () => {
      socket.destroy();
      done(true);
    });
  });
}

/** Stops the server by a fast shutdown, which rolls back open transactions, then by force. No committed data is lost. */
export async function terminate(postmaster: Postmaster, log: Log): Promise<void> {
  for (const [signal, patience] of [
    ["SIGINT", 60_000],
    ["SIGQUIT", 15_000],
    ["SIGKILL", 5_000],
  ] as const) {
    if ((await postmaster.ended(0)) !== undefined) return;
    if (signal !== "SIGINT")
      log.warn({ pid: postmaster.pid, signal }, "PostgreSQL does not stop, forcing it");
    try {
      process.kill(postmaster.pid, signal);
    } catch (error) {
      log.debug({ pid: postmaster.pid, error: messageOf(error) }, "PostgreSQL could not be signalled");
    }
    if ((await postmaster.ended(patience)) !== undefined) return;
  }
  log.error({ pid: postmaster.pid }, "PostgreSQL could not be stopped");
}
