import { mkdir, readdir, readFile, readlink, rm, stat, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import pg from "pg";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
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

const fixture = new EmbeddedFixture();
const start = (dataDir: string) => fixture.start(dataDir);

beforeAll(() => fixture.open());
afterEach(() => fixture.tidy());
afterAll(() => fixture.close());

describe("a first start", () => {
  it("creates a database that is private, durable, and knows all letters", async () => {
    const dataDir = join(fixture.root, "first");
    const server = await start(dataDir);
    const password = await readFile(join(dataDir, "postgres.password"), "utf8");
    expect(server.connection).toMatchObject({ user: "awoooi", database: "awoooi", password });
    expect(password.length).toBeGreaterThan(30);
    for (const [path, mode] of [
      ["postgres.password", 0o600],
      ["postgres.log", 0o600],
      ["postgres", 0o700],
      ["socket", 0o700],
    ] as const) {
      expect((await stat(join(dataDir, path))).mode & 0o777, path).toBe(mode);
    }
    expect(
      await query(
        server,
        `select current_setting('server_version_num')::int / 10000 as major, current_setting('fsync') as fsync,
                current_setting('listen_addresses') as tcp, current_setting('server_encoding') as encoding,
                current_setting('max_connections') as connections, current_setting('jit') as jit,
                current_user as "user", lower('ÄÖ') as lower`,
      ),
    ).toEqual({
      major: 18,
      fsync: "on",
      tcp: "",
      encoding: "UTF8",
      connections: "100",
      jit: "off",
      user: "awoooi",
      lower: "äö",
    });
    await query(server, "create extension pg_trgm");
    expect(await query(server, "select similarity('磁碟已滿', '磁碟已滿') as n")).toEqual({ n: 1 });
    const wrong = new pg.Client({ ...server.connection, password: "wrong" });
    await expect(wrong.connect()).rejects.toThrow(/password authentication failed/);
  });

  it("gives a URL that pg understands, also when PGPORT points elsewhere", async () => {
    vi.stubEnv("PGPORT", "1");
    const server = await start(fixture.shared);
    const client = new pg.Client({ connectionString: server.url });
    await client.connect();
    expect((await client.query("select n from kept")).rows).toEqual([{ n: 42 }]);
    await client.end();
    expect(await query(server, "select n from kept")).toEqual({ n: 42 });
    vi.unstubAllEnvs();
  });

  it("shows the password neither in a command line, an environment nor a log", async () => {
    const dataDir = fixture.shared;
    const server = await start(dataDir);
    const { password } = server.connection;
    const shown = await Promise.all([
      readFile(`/proc/${server.pid}/cmdline`, "utf8"),
      readFile(`/proc/${server.pid}/environ`, "utf8"),
      readFile(join(dataDir, "postgres.log"), "utf8"),
    ]);
    expect(shown.every((text) => text.length > 0)).toBe(true);
    expect([...shown, JSON.stringify(fixture.lines)].join("\n")).not.toContain(password);
  });

  it("survives being killed half-way", async () => {
    const dataDir = join(fixture.root, "half-way");
    const bin = dirname(await readlink(`/proc/${(await start(fixture.shared)).pid}/exe`));
    // It makes a database as ever, and is not done with it while who has started it lives.
    const dir = await fixture.folder();
    const initdb = `#!/bin/sh\n'${bin}/initdb' "$@"\nwhile [ "$(cut -d' ' -f4 /proc/$$/stat)" = $PPID ]; do sleep 0.1; done\n`;
    await writeFile(join(dir, "initdb"), initdb, { mode: 0o755 });
    await symlink(join(bin, "postgres"), join(dir, "postgres"));
    const child = fixture.startInChild(dataDir, { binaries: { dir } });
    await until(async () =>
      (await readdir(dataDir).catch(() => [])).some((name) => name.startsWith("postgres.new-")),
    );
    await killed(child, "SIGKILL");
    expect(await readdir(dataDir)).not.toContain("postgres");
    const server = await start(dataDir);
    expect(await query(server, "select 1 as n")).toEqual({ n: 1 });
    await until(async () => !(await readdir(dataDir)).some((name) => name.startsWith("postgres.new-")));
  });

  it("ends in one server when two processes and two callers start at once", async () => {
    const dataDir = join(fixture.root, "at-once");
    const child = fixture.startInChild(dataDir);
    const [pid, one, other] = await Promise.all([said(child), start(dataDir), start(dataDir)]);
    expect([String(one.pid), String(other.pid)]).toEqual([pid, pid]);
    expect(await query(other, "select 1 as n")).toEqual({ n: 1 });
    expect(fixture.lines.filter(({ level }) => level === "error")).toEqual([]);
    await killed(child, "SIGKILL");
    one.abandon();
  });

  it("ends in one server when many callers start an existing database at once", async () => {
    for (let round = 0; round < 3; round += 1) {
      const servers = await Promise.all(Array.from({ length: 6 }, () => start(fixture.shared)));
      expect(new Set(servers.map(({ pid }) => pid)).size).toBe(1);
      expect(fixture.lines.filter(({ text }) => text === "started PostgreSQL")).toHaveLength(round + 1);
      for (const server of servers.slice(1)) server.abandon();
      await servers[0]!.stop();
    }
  });
});

describe("a later start", () => {
  it("finds the data, and stopping leaves no process and no pid file", async () => {
    const dataDir = fixture.shared;
    const server = await start(dataDir);
    expect(await query(server, "select n from kept")).toEqual({ n: 42 });
    await Promise.all([server.stop(), server.stop()]);
    expect(await gone(server.pid)).toBe(true);
    expect(await serversOf(dataDir)).toEqual([]);
    expect(await readdir(join(dataDir, "postgres"))).not.toContain("postmaster.pid");
  });

  it("refuses the data of another major version with a sentence", async () => {
    await altered(
      join(fixture.shared, "postgres/PG_VERSION"),
      () => "14\n",
      () =>
        expect(start(fixture.shared)).rejects.toMatchObject({
          code: "conflict",
          message: expect.stringMatching(
            /made by PostgreSQL 14 and cannot be opened by PostgreSQL 18.*DATABASE_URL/,
          ),
        }),
    );
  });

  it("refuses a wrong password or none with a sentence, and leaves no process", async () => {
    const file = join(fixture.shared, "postgres.password");
    await altered(
      file,
      () => "another",
      async () => {
        const refused = { code: "conflict", message: expect.stringContaining(file) };
        await expect(start(fixture.shared)).rejects.toMatchObject(refused);
        expect(await serversOf(fixture.shared)).toEqual([]);
        await rm(file);
        await expect(start(fixture.shared)).rejects.toMatchObject(refused);
      },
    );
  });

  it("says why the server does not start", async () => {
    await altered(
      join(fixture.shared, "postgres/postgresql.conf"),
      (text) => `${text}\nno_such_setting = 1\n`,
      () =>
        expect(start(fixture.shared)).rejects.toMatchObject({
          code: "unavailable",
          message: expect.stringMatching(
            /does not start \(exit code 1\): .*configuration file.*postgres\.log/,
          ),
        }),
    );
  });

  it("uses a short folder for the socket when the path is too long for one", async () => {
    const long = join(await fixture.folder(), "x".repeat(60), "y".repeat(60));
    await mkdir(long, { recursive: true });
    await fixture.copy(join(long, "data"));
    const server = await start(join(long, "data"));
    expect(server.connection.host.length).toBeLessThan(60);
    expect(await query(server, "select n from kept")).toEqual({ n: 42 });
    server.abandon();
    const again = await start(join(long, "data"));
    expect(again.connection.host).toBe(server.connection.host);
    await again.stop();
    await rm(server.connection.host, { recursive: true });
  });

  it("bounds the server's log and keeps what it held", async () => {
    const dataDir = fixture.shared;
    await writeFile(join(dataDir, "postgres.log"), "old\n".repeat(3_000_000));
    await start(dataDir);
    expect((await stat(join(dataDir, "postgres.log"))).size).toBeLessThan(10_000);
    expect((await stat(join(dataDir, "postgres.log.1"))).size).toBe(12_000_000);
  });
});
