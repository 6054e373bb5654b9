import { execFileSync } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type pg from "pg";
import { createPool } from "../../src/db/client.ts";
import { messageOf } from "../../src/lib/error.ts";
import { silentLog } from "../../src/lib/log.ts";
import { gone } from "../support/embedded-fixture.ts";
import { until } from "../support/until.ts";

/** The embedded PostgreSQL of a server under test, from outside: to break it, and to look into it. */
export class Postgres {
  readonly #dataDir: string;
  #pool: pg.Pool | undefined;

  constructor(dataDir: string) {
    this.#dataDir = dataDir;
  }

  async #lockFile(): Promise<string[]> {
    return (await readFile(join(this.#dataDir, "postgres/postmaster.pid"), "utf8")).split("\n");
  }

  async pid(): Promise<number> {
    return Number((await this.#lockFile())[0]);
  }

  /** Ends it, by a crash or by a fast shutdown; resolves when its first process is gone. */
  async end(signal: "SIGKILL" | "SIGINT"): Promise<void> {
    const pid = await this.pid();
    process.kill(pid, signal);
    await until(() => gone(pid), "PostgreSQL to be gone");
  }

  /** Stops every one of its processes; resolves to what lets them go on. */
  async suspend(): Promise<() => void> {
    const first = await this.pid();
    // From now on there are no new ones.
    process.kill(first, "SIGSTOP");
    const children = execFileSync("ps", ["-o", "pid=", "--ppid", String(first)], { encoding: "utf8" });
    const group = [...children.trim().split(/\s+/).map(Number), first];
    const each = (signal: NodeJS.Signals) => {
      for (const pid of group) {
        try {
          process.kill(pid, signal);
        } catch {
          // A backend that has ended meanwhile.
        }
      }
    };
    each("SIGSTOP");
    return () => each("SIGCONT");
  }

  /** On a full disk: makes it go on to a segment of its write-ahead log for which there is no room. */
  async exhaust(): Promise<void> {
    const pid = await this.pid();
    try {
      await until(async () => {
        await this.rows("select pg_switch_wal(), txid_current()").catch(() => {});
        return gone(pid);
      }, "PostgreSQL to die of its full disk");
    } catch (error) {
      // Once it stayed in its recovery instead, which nobody could explain afterwards.
      const state = execFileSync("ps", [
        "-o",
        "pid,stat,wchan:20,etime,args",
        "-p",
        `${pid}`,
        "--ppid",
        `${pid}`,
      ]);
      const log = await readFile(join(this.#dataDir, "postgres.log"), "utf8");
      // Without what each connection was answered.
      const said = log.split("\n").filter((line) => !/FATAL: {2}the database system is/.test(line));
      throw new Error(`${messageOf(error)}\n${state}\n${said.slice(-60).join("\n")}`);
    }
  }

  async rows<T>(sql: string, values: unknown[] = []): Promise<T[]> {
    if (this.#pool === undefined) {
      const host = (await this.#lockFile())[4] as string;
      const password = await readFile(join(this.#dataDir, "postgres.password"), "utf8");
      const connection = { host, user: "awoooi", database: "awoooi", password };
      this.#pool = createPool(connection, silentLog, {
        max: 1,
        query_timeout_ms: 10_000,
        connect_timeout_ms: 2_000,
      });
    }
    return (await this.#pool.query(sql, values)).rows as T[];
  }

  /** Lets go of it. */
  async close(): Promise<void> {
    await this.#pool?.end();
    this.#pool = undefined;
  }
}
