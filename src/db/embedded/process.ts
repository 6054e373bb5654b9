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

/** A running server's first process: a child of ours, or one that an earlier process has left. */
export type Postmaster = {
  pid: number;
  takenOver: boolean;
  /** Size of the log when it started; 0 for one taken over. */
  logStart: number;
  /** How it ended; `undefined` if it has not within `milliseconds` or before the abort. */
  ended(milliseconds: number, signal?: AbortSignal): Promise<string | undefined>;
};

/** What a running or crashed server has left in its data folder. `socketDir` is empty early in a start. */
export type LockFile = { pid: number; socketDir: string };

/** Whether a pid is the server of a data folder; `unknown` where the system does not tell. */
export type Identity = "server" | "unknown" | "other" | "gone";

const run = promisify(execFile);

export async function readLockFile(clusterDir: string): Promise<LockFile | undefined> {
  const file = join(clusterDir, "postmaster.pid");
  const text = await readFile(file, "utf8").catch(() => undefined);
  if (text === undefined) return undefined;
  const lines = text.split("\n");
  const pid = Number(lines[0]);
  if (Number.isInteger(pid) && pid > 0) return { pid, socketDir: lines[4] ?? "" };
  // Empty: about to be filled, or the remnant of a power failure, beside which PostgreSQL never starts.
  const written = await stat(file).catch(() => undefined);
  if (written !== undefined && Date.now() - written.mtimeMs > 10_000) await rm(file, { force: true });
  return undefined;
}

/** Looks at the command line, since a pid is used again and a dead child nobody reaped keeps its own. */
export async function identify(pid: number, clusterDir: string): Promise<Identity> {
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
    // `ps` does not say where an argument ends; ours has no option before the folder or space after -c.
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
 * Starts the server, in a session of its own so that neither our death nor a Ctrl-C reaches it.
 * `stalePid` is one that the lock file names and that is not a server's.
 */
export async function launch(cluster: Cluster, stalePid: number | undefined): Promise<Postmaster> {
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
        // PostgreSQL takes a lock file with this pid for a dead server's, whoever has the pid now. To
        // delete the file ourselves could hit the one that another start has just written.
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

/** The server that runs as `pid` though it is no child of ours: its end is found by looking. */
export function takeOver(pid: number, clusterDir: string): Postmaster {
  return {
    pid,
    takenOver: true,
    logStart: 0,
    async ended(milliseconds, signal) {
      const until = performance.now() + milliseconds;
      for (;;) {
        const identity = await identify(pid, clusterDir);
        if (identity === "gone" || identity === "other") return "it is gone";
        const left = until - performance.now();
        if (left <= 0 || signal?.aborted) return undefined;
        await wait(Math.min(left, 200), signal);
      }
    },
  };
}

/** Whether anything accepts connections on the socket in `dir`, visible to us as a process or not. */
export function accepts(dir: string): Promise<boolean> {
  return new Promise((done) => {
    const socket = connect(join(dir, `.s.PGSQL.${PORT}`));
    socket.once("error", () => done(false));
    socket.once("connect", () => {
      socket.destroy();
      done(true);
    });
  });
}

/** Fast shutdown: open transactions are rolled back. One that does not end is forced; no data is lost. */
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
