import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import pg from "pg";
import { type EmbeddedPostgres, startEmbeddedPostgres } from "../../src/db/embedded/server.ts";
import type { Log } from "../../src/lib/log.ts";
import { until as waitUntil } from "./until.ts";

export type LogLine = { level: string; text: string; fields: Record<string, unknown> };

export const run = promisify(execFile);

/** Real servers in a temporary folder, for the tests of this room; `close` leaves nothing behind. */
export class EmbeddedFixture {
  readonly lines: LogLine[] = [];
  readonly log: Log = {
    debug: this.#record("debug"),
    info: this.#record("info"),
    warn: this.#record("warn"),
    error: this.#record("error"),
  };
  root = "";
  readonly #servers: EmbeddedPostgres[] = [];
  readonly #children: ChildProcess[] = [];

  #record(level: string): (fields: object, text: string) => void {
    return (fields, text) => this.lines.push({ level, text, fields: fields as LogLine["fields"] });
  }

  /** A data directory whose database has a table `kept` with the row 42, for tests that leave it so. */
  get shared(): string {
    return join(this.root, "shared");
  }

  async open(): Promise<void> {
    this.root = await mkdtemp(join(tmpdir(), "embedded-"));
    await chmod(this.root, 0o755);
    const server = await this.start(this.shared);
    await query(server, "create table kept as select 42 as n");
    await this.tidy();
  }

  /** Ends what the last test has left running. */
  async tidy(): Promise<void> {
    for (const child of this.#children.splice(0)) {
      if (child.exitCode === null && child.signalCode === null) await killed(child, "SIGKILL");
    }
    for (const server of this.#servers.splice(0)) await server.stop();
    this.lines.length = 0;
  }

  async close(): Promise<void> {
    await this.tidy();
    // What a failed test has abandoned.
    for (const pid of await serversOf(this.root)) process.kill(pid, "SIGKILL");
    await rm(this.root, { recursive: true, force: true });
  }

  async start(
    dataDir: string,
    binaries?: Parameters<typeof startEmbeddedPostgres>[0]["binaries"],
  ): Promise<EmbeddedPostgres> {
    const server = await startEmbeddedPostgres({ dataDir, log: this.log, ...(binaries && { binaries }) });
    this.#servers.push(server);
    return server;
  }

  /** An empty folder that everyone may enter. */
  async folder(): Promise<string> {
    const folder = await mkdtemp(join(this.root, "f-"));
    await chmod(folder, 0o755);
    return folder;
  }

  /** A copy of `shared`, whose server must not be running, for a test that breaks it. */
  async copy(to?: string): Promise<string> {
    const dataDir = to ?? join(await this.folder(), "data");
    await run("cp", ["-a", this.shared, dataDir]);
    return dataDir;
  }

  /**
   * A Node process that starts the server of `dataDir`, prints its pid or the error's message, and stays;
   * it leads a process group, as a terminal's foreground job does.
   */
  startInChild(
    dataDir: string,
    how: { uid?: number; gid?: number; node?: string; module?: URL; binaries?: object } = {},
  ): ChildProcess {
    const module = how.module ?? new URL("../../src/db/embedded/server.ts", import.meta.url);
    const options = JSON.stringify({ dataDir, ...(how.binaries && { binaries: how.binaries }) });
    const script = `import { startEmbeddedPostgres } from ${JSON.stringify(module.href)};
      const text = () => {};
      const log = { debug: text, info: text, warn: text, error: text };
      const said = await startEmbeddedPostgres({ ...${options}, log }).then((s) => s.pid, (e) => e.message);
      process.stdout.write(said + "\\n");`;
    const { uid, gid } = how;
    const child = spawn(how.node ?? process.execPath, ["--input-type=module", "-e", script], {
      detached: true,
      cwd: "/",
      stdio: ["ignore", "pipe", "inherit"],
      ...(uid === undefined || gid === undefined ? {} : { uid, gid }),
    });
    this.#children.push(child);
    return child;
  }
}

/** Does `body` while the existing file `path` has another text. */
export async function altered(
  path: string,
  change: (text: string) => string,
  body: () => Promise<void>,
): Promise<void> {
  const text = await readFile(path, "utf8");
  await writeFile(path, change(text));
  try {
    await body();
  } finally {
    await writeFile(path, text);
  }
}

/** The pid, or the error's message, that a child of `startInChild` prints. */
export async function said(child: ChildProcess): Promise<string> {
  for await (const chunk of child.stdout ?? []) return String(chunk).trim();
  throw new Error("the child has ended without a word");
}

export async function killed(child: ChildProcess, signal: NodeJS.Signals, pid = child.pid): Promise<void> {
  const exit = once(child, "exit");
  if (pid !== undefined) process.kill(pid, signal);
  await exit;
}

/** The first row of `sql`'s answer. */
export async function query(server: EmbeddedPostgres, sql: string): Promise<unknown> {
  const client = new pg.Client(server.connection);
  client.on("error", () => {});
  try {
    await client.connect();
    return (await client.query(sql)).rows[0];
  } finally {
    await client.end();
  }
}

/** Waits for what another process brings about. */
export async function until(what: () => Promise<boolean> | boolean): Promise<void> {
  await waitUntil(what, String(what));
}

/** Whether `pid` has ended; one that nobody has asked how is gone too. */
export async function gone(pid: number): Promise<boolean> {
  const text = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
  return text === "" || /\) Z /.test(text);
}

/** Pids of servers whose data is under `dataDir`. */
export async function serversOf(dataDir: string): Promise<number[]> {
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name)).map(Number);
  const serves = await Promise.all(
    pids.map(async (pid) =>
      (await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "")).includes(`postgres\0-D\0${dataDir}/`),
    ),
  );
  return pids.filter((_, at) => serves[at]);
}
