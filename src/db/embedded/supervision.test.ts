import { spawn } from "node:child_process";
import { mkdir, readFile, rm, stat, utimes, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import pg from "pg";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import {
  altered,
  EmbeddedFixture,
  gone,
  killed,
  query,
  said,
  serversOf,
  until,
} from "../../../test/support/embedded-fixture.ts";
import { eventually, until as waitUntil } from "../../../test/support/until.ts";
import type { EmbeddedPostgres } from "./server.ts";

const fixture = new EmbeddedFixture();
const texts = (level: string) => fixture.lines.filter((line) => line.level === level).map(({ text }) => text);

const config = () => join(fixture.shared, "postgres/postgresql.conf");
const broken = (text: string) => `${text}\nno_such_setting = 1\n`;

beforeAll(() => fixture.open());
afterEach(() => fixture.tidy());
afterAll(() => fixture.close());

/** Waits until a server other than `before` answers. */
async function restarted(server: EmbeddedPostgres, before: number): Promise<void> {
  await until(async () => server.pid !== before && (await gone(before)));
  await until(async () => (await query(server, "select n from kept").catch(() => undefined)) !== undefined);
}

/** Has a backend compute, in which it does not notice that its server has died; `end` ends it. */
async function compute(server: EmbeddedPostgres): Promise<{ end(): Promise<unknown> }> {
  const computed = query(server, "do $$ begin loop end loop; end $$").catch(() => {});
  const running = "select pid from pg_stat_activity where query like 'do $$%'";
  const { pid } = await waitUntil(
    async () => (await query(server, running)) as { pid: number } | undefined,
    "it to compute",
  );
  return {
    async end() {
      process.kill(pid, "SIGKILL");
      await computed;
    },
  };
}
const ORPHANS = "pre-existing shared memory block";

/** The children of a killed server end by themselves, soon after; those just forked still have its command line. */
const nothingLeft = (dataDir: string) => eventually(async () => expect(await serversOf(dataDir)).toEqual([]));

describe("take-over", () => {
  it.each(["SIGKILL", "SIGINT"] as const)(
    "finds the server that outlived our process by %s",
    async (signal) => {
      const dataDir = fixture.shared;
      const child = fixture.startInChild(dataDir);
      const pid = Number(await said(child));
      // As Ctrl-C in a terminal: to the whole process group.
      await killed(child, signal, -child.pid!);
      const server = await fixture.start(dataDir);
      expect(server.pid).toBe(pid);
      expect(await query(server, "select n from kept")).toEqual({ n: 42 });
      expect(fixture.lines).toMatchObject([
        { level: "info", text: "took over the running PostgreSQL", fields: { pid } },
      ]);
      await server.stop();
      expect(await gone(pid)).toBe(true);
      expect(await serversOf(dataDir)).toEqual([]);
    },
  );

  it.each([
    ["that somebody else has by now", "echo $$; exec sleep 60"],
    ["of a dead process that nobody has reaped", "true & echo $!; exec sleep 60"],
  ])("is not fooled by a pid %s", async (_, script) => {
    const folder = join(fixture.shared, "postgres");
    const server = await fixture.start(fixture.shared);
    server.abandon();
    const text = await readFile(join(folder, "postmaster.pid"), "utf8");
    process.kill(server.pid, "SIGKILL");
    await until(() => gone(server.pid));
    // Of the server's own user: only that makes PostgreSQL itself refuse.
    const { uid, gid } = await stat(folder);
    const child = spawn("/bin/sh", ["-c", script], {
      uid,
      gid,
      cwd: "/",
      stdio: ["ignore", "pipe", "inherit"],
    });
    try {
      const pid = await said(child);
      await writeFile(join(folder, "postmaster.pid"), text.replace(/^\d+/, pid));
      const next = await fixture.start(fixture.shared);
      expect([server.pid, Number(pid)]).not.toContain(next.pid);
      expect(await query(next, "select n from kept")).toEqual({ n: 42 });
      expect(texts("info")).toEqual(["started PostgreSQL", "started PostgreSQL"]);
    } finally {
      await killed(child, "SIGKILL");
    }
  });

  it("is not fooled by the server of another data directory", async () => {
    const [dataDir, otherDir] = [await fixture.copy(), fixture.shared];
    const other = await fixture.start(otherDir);
    const lock = await readFile(join(otherDir, "postgres/postmaster.pid"), "utf8");
    await writeFile(
      join(dataDir, "postgres/postmaster.pid"),
      lock.replaceAll(otherDir, dataDir).replace(/^( *\d+ +\d+)$/m, "  1 1"),
    );
    const server = await fixture.start(dataDir);
    expect(server.pid).not.toBe(other.pid);
    await server.stop();
    expect(await query(other, "select n from kept")).toEqual({ n: 42 });
  });

  it("starts beside the empty pid file of a power failure", async () => {
    const dataDir = fixture.shared;
    const file = join(dataDir, "postgres/postmaster.pid");
    await writeFile(file, "");
    await utimes(file, 1, 1);
    expect(await query(await fixture.start(dataDir), "select n from kept")).toEqual({ n: 42 });
  });

  it("refuses to start beside a server that it cannot see", async () => {
    const dataDir = fixture.shared;
    const invisible = createServer((socket) => socket.destroy());
    await mkdir(join(dataDir, "socket"), { recursive: true });
    await new Promise<void>((done) => invisible.listen(join(dataDir, "socket/.s.PGSQL.5432"), done));
    try {
      await expect(fixture.start(dataDir)).rejects.toMatchObject({
        code: "conflict",
        message: expect.stringContaining("another container"),
      });
      expect(await serversOf(dataDir)).toEqual([]);
    } finally {
      await new Promise((done) => invisible.close(done));
    }
  });
});

describe("supervision", () => {
  it("restarts a server that was killed, and a pool goes on", async () => {
    const server = await fixture.start(fixture.shared);
    const pool = new pg.Pool(server.connection);
    pool.on("error", () => {});
    await pool.query("create table more as select 43 as n");
    const before = server.pid;
    process.kill(before, "SIGKILL");
    await restarted(server, before);
    expect((await pool.query("select n from more")).rows).toEqual([{ n: 43 }]);
    await pool.end();
    await until(() => texts("info").includes("PostgreSQL is back"));
    // Its children end by themselves, perhaps after the first try.
    expect(fixture.lines.slice(1).filter(({ text }) => !text.includes(ORPHANS))).toMatchObject([
      {
        level: "error",
        text: "PostgreSQL has died (SIGKILL) and is restarted",
        fields: { log_tail: expect.stringContaining("ready to accept connections") },
      },
      { level: "info", text: "PostgreSQL is back", fields: { pid: server.pid } },
    ]);
  });

  it("restarts a server that it has taken over, and one that was stopped by others", async () => {
    const dataDir = fixture.shared;
    (await fixture.start(dataDir)).abandon();
    const server = await fixture.start(dataDir);
    for (const signal of ["SIGKILL", "SIGINT"] as const) {
      const before = server.pid;
      process.kill(before, signal);
      await restarted(server, before);
    }
    expect(texts("error").filter((text) => !text.includes(ORPHANS))).toHaveLength(2);
    // A backend that has just begun has its server's name for a moment.
    await until(async () => (await serversOf(dataDir)).length === 1);
  });

  it("waits for orphans of the killed server that still use its memory", async () => {
    const server = await fixture.start(fixture.shared);
    const computing = await compute(server);
    const before = server.pid;
    process.kill(before, "SIGKILL");
    await until(() => texts("error").length === 2);
    await computing.end();
    await restarted(server, before);
    expect(texts("error")).toEqual([
      "PostgreSQL has died (SIGKILL) and is restarted",
      expect.stringContaining(ORPHANS),
    ]);
  });

  it("waits for such orphans at a first start too", async () => {
    const server = await fixture.start(fixture.shared);
    const computing = await compute(server);
    server.abandon();
    process.kill(server.pid, "SIGKILL");
    await until(() => gone(server.pid));
    const starting = fixture.start(fixture.shared);
    await until(() => texts("warn").length > 0);
    await computing.end();
    expect(await query(await starting, "select n from kept")).toEqual({ n: 42 });
  });

  it("tries for as long as it fails, tells each failure once, and comes back", async () => {
    const server = await fixture.start(fixture.shared);
    const before = server.pid;
    await altered(config(), broken, async () => {
      process.kill(before, "SIGKILL");
      await until(() => texts("debug").length >= 2);
    });
    expect(texts("error")).toEqual([
      "PostgreSQL has died (SIGKILL) and is restarted",
      expect.stringContaining("configuration file"),
    ]);
    const last = fixture.lines.findLast(({ level }) => level === "error");
    expect(last?.fields.log_tail).toContain("no_such_setting");
    await restarted(server, before);
  });

  it("can be stopped while it fails to restart, and leaves no process", async () => {
    const server = await fixture.start(fixture.shared);
    await altered(config(), broken, async () => {
      process.kill(server.pid, "SIGKILL");
      await until(() => texts("error").some((text) => text.includes("configuration file")));
      await server.stop();
    });
    await nothingLeft(fixture.shared);
  });

  it("can be stopped at any moment of a restart", async () => {
    const dataDir = fixture.shared;
    for (const milliseconds of [0, 200, 215, 240, 280]) {
      const server = await fixture.start(dataDir);
      process.kill(server.pid, "SIGKILL");
      await new Promise((done) => setTimeout(done, milliseconds));
      await server.stop();
      await nothingLeft(dataDir);
    }
  });

  it("makes the socket's folder again when somebody has cleaned up", async () => {
    const dataDir = fixture.shared;
    const server = await fixture.start(dataDir);
    await rm(join(dataDir, "socket"), { recursive: true });
    const before = server.pid;
    process.kill(before, "SIGKILL");
    await restarted(server, before);
  });

  it("leaves the server alone once abandoned", async () => {
    const dataDir = fixture.shared;
    const server = await fixture.start(dataDir);
    server.abandon();
    await server.stop();
    expect(await gone(server.pid)).toBe(false);
    process.kill(server.pid, "SIGINT");
    await until(async () => (await serversOf(dataDir)).length === 0);
    expect(texts("error")).toEqual([]);
  });
});
