import { spawn } from "node:child_process";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startHost, type TestHost } from "../../../../../test/support/host/index.ts";
import { silentLog } from "../../../../lib/log.ts";
import { type Operation, operation } from "../../../../operation/index.ts";
import { type SshHosts, ssh } from "../index.ts";
import { type Consumer, foldersIn, largest, sizeOf } from "./disk-usage.ts";
import { type HostFacts, parseFacts } from "./facts.ts";
import { parseJournal } from "./journal.ts";

const NEVER = new AbortController().signal;
const MEGABYTE = 1_048_576;
const PROGRAMS = join(import.meta.dirname, "../../../../../test/support/host/programs.mjs");

let there: TestHost;
let hosts: SshHosts;
let data: string;

beforeAll(async () => {
  there = await startHost();
  const { port, user, privateKeyFile: identity_file, knownHostsFile } = there;
  const host = { name: "box-1", address: "127.0.0.1", port, user, identity_file };
  const patient = { connect_timeout: "2m", command_timeout: "5m" };
  const config = ssh.settings.schema.parse({
    known_hosts: [knownHostsFile],
    settle: "0s",
    hosts: [host],
    ...patient,
  });
  hosts = ssh.create(config, { log: silentLog }) as SshHosts;
  // The runtime's folder, as its double says, is this one: a filesystem of its own that is full.
  data = there.folder;
  await there.file("disks.json", JSON.stringify({ [data]: `/dev/sdb1 1000000 990000 10000 99% ${data}` }));
  await mkdir(join(data, "uploads/2026"), { recursive: true });
  await writeFile(join(data, "uploads/2026/film"), Buffer.alloc(150 * MEGABYTE, 1));
  await writeFile(join(data, "core"), Buffer.alloc(110 * MEGABYTE, 1));
});
afterAll(async () => {
  await hosts.close();
  await there.stop();
});

/** A process that holds a file open whose name is gone. */
async function holder(): Promise<() => void> {
  const script = `
    const fs = require("node:fs");
    const file = fs.openSync(process.argv[1], "w");
    fs.writeSync(file, Buffer.alloc(120 * ${MEGABYTE}, 1));
    fs.unlinkSync(process.argv[1]);
    process.stdout.write("held");
    process.stdin.resume();`;
  const child = spawn(process.execPath, ["-e", script, join(data, "gone.log")], { stdio: "pipe" });
  await new Promise((resolve) => child.stdout.once("data", resolve));
  return () => child.kill("SIGKILL");
}

describe("a full filesystem", () => {
  it("is told with what takes its room: folders, build cache, deleted files that are open", async () => {
    const release = await holder();
    try {
      const target = { kind: "host", name: "box-1" };
      const labels = [{ mountpoint: data }];
      const { findings, missing } = await hosts.investigator.investigate(target, new Date(), NEVER, labels);
      expect(missing).toEqual([]);
      const titles = new Map(findings.map((one) => [one.code, one.title]));
      expect(titles.get("disk_full")).toMatch(/the largest there: \S+\/uploads\/2026 157\.\d MB/);
      expect(titles.get("disk_full")).toMatch(/\/core 115\.\d MB/);
      expect(titles.get("docker_build_cache_large")).toBe(`docker's build cache takes 300.0 MB on ${data}`);
      expect(titles.get("docker_images_unused")).toContain("about 120.0 MB");
      expect(titles.get("deleted_files_open")).toMatch(/ \(\d+\) keeps 125\.8 MB of deleted files open/);
      expect(titles.has("journal_large")).toBe(false);
      expect((await there.calls()).filter((call) => /prune|vacuum|truncate/.test(call.join(" ")))).toEqual(
        [],
      );
    } finally {
      release();
    }
  });

  it.each([
    [
      "cut",
      "printf '200000\\t%s/a\\n900000\\t%s/b' DATA DATA; sleep 60",
      "was not read completely within 4 s",
    ],
    [
      "refused",
      "printf '200000\\t%s/a\\n990000\\t%s\\n' DATA DATA; echo \"du: cannot read directory 'DATA/b': Permission denied\" >&2; exit 1",
      "some could not be read (du: cannot read directory",
    ],
  ])("is not told as a whole where what reads its folders is %s", async (_what, script, gap) => {
    await there.double("du", script.replaceAll("DATA", data));
    try {
      const target = { kind: "host", name: "box-1" };
      const labels = [{ mountpoint: data }];
      const { findings, missing } = await hosts.investigator.investigate(target, new Date(), NEVER, labels);
      expect(missing).toEqual([expect.stringContaining(gap)]);
      const { title } = findings.find((one) => one.code === "disk_full") ?? {};
      // Of the line that was cut nothing is told.
      expect(title).toMatch(/; the largest of what was read there: \S+\/a 204\.8 MB$/);
    } finally {
      await rm(join(there.bin, "du"));
    }
  });

  it("is not told as there where df is refused it, nor the host as well", async () => {
    await there.double(
      "df",
      `case "$*" in *secret*) echo "df: /secret: Permission denied" >&2; exit 1 ;; esac; exec /bin/df "$@"`,
    );
    try {
      const target = { kind: "host", name: "box-1" };
      const look = (mountpoint: string) =>
        hosts.investigator.investigate(target, new Date(), NEVER, [{ mountpoint }]);
      const { findings, missing } = await look("/secret/mount");
      expect(missing).toContain("/secret/mount (Permission denied) of box-1 could not be read");
      const codes = findings.map((one) => one.code);
      expect(codes).not.toContain("disk_not_there");
      expect(codes).not.toContain("host_healthy");
      const gone = await look("/host/no-such-folder");
      expect(gone.missing.join()).not.toContain("no-such-folder");
      expect(gone.findings.map((one) => one.title)).toContain("/host/no-such-folder does not exist");
    } finally {
      await there.double("df", `exec '${process.execPath}' '${PROGRAMS}' '${there.folder}' df "$@"`);
    }
  });

  it("does not keep the rest from being read when the filesystem that the alert names hangs", async () => {
    const disks = { [data]: `/dev/sdb1 1000000 400000 600000 40% ${data}`, "/mnt/dead": "hangs" };
    await there.file("disks.json", JSON.stringify(disks));
    const labels = [{ mountpoint: "/mnt/dead" }];
    const target = { kind: "host", name: "box-1" };
    const { findings, evidence } = await hosts.investigator.investigate(target, new Date(), NEVER, labels);
    expect(findings[0]).toMatchObject({ code: "disk_not_answering", weight: "cause" });
    expect(evidence.map((one) => one.text).join()).toContain("memory: ");
  });
});

describe("the journal", () => {
  const vacuum: Operation = operation.parse({
    kind: "host.vacuum_journal",
    target: { kind: "host", name: "box-1" },
    parameters: { keep_megabytes: 500 },
  });
  const run = (before: Record<string, unknown>) => ({ execution_id: "EXE-1", attempt: 1, before });

  it("is cut down to its latest entries, and seen to be", async () => {
    const { executor, observer } = hosts;
    const disks = {
      "/var/log/journal": "/dev/sda1 8000000 7900000 100000 99% /",
      "/run/log/journal": "/dev/sda1 8000000 7900000 100000 99% /",
    };
    await there.file("disks.json", JSON.stringify(disks));
    await there.file("journal.json", "3000");
    expect(await executor.resolve(vacuum)).toMatchObject({ result: "hit" });
    const { checks, diff } = await executor.dryRun(vacuum);
    expect(checks.find((one) => one.name === "journal")).toMatchObject({
      passed: true,
      message: expect.stringMatching(/^3\.1 GB in \/\S+: about 2\.6 GB would be removed/),
    });
    expect(diff).toBe("- about 2.6 GB of the journal, its oldest entries");
    const before = await executor.snapshot(vacuum);
    expect(await executor.effect(vacuum, run(before))).toBe("not_done");
    expect(await executor.act(vacuum, run(before), NEVER)).toMatchObject({ ok: true });
    expect(await there.calls()).toContainEqual(["journalctl", "--vacuum-size=500M"]);
    expect(await executor.effect(vacuum, run(before))).toBe("done");
    const after = {
      "/var/log/journal": "/dev/sda1 8000000 5300000 2700000 66% /",
      "/run/log/journal": "/dev/sda1 8000000 5300000 2700000 66% /",
    };
    await there.file("disks.json", JSON.stringify(after));
    const seen = await observer.observe(vacuum.target as never, new Date(), { operation: vacuum, before });
    expect(seen).toMatchObject({
      healthy: true,
      facts: [{ message: expect.stringContaining("2.7 GB more") }],
    });
    // With nothing beyond, nobody is asked to sign it.
    const again = await executor.dryRun(vacuum);
    expect(again.checks.find((one) => one.name === "journal")).toMatchObject({ passed: false });
  });

  it.each([
    ["/var/log/journal\nArchived and active journals take up 3.9G in the file system.", 4_187_593_114],
    ["/run/log/journal\nArchived and active journals take up 8.0M in the file system.", 8_388_608],
    ["/x\nJournals take up 0B in the file system.", 0],
  ])("has the size that %j says", (text, bytes) => {
    expect(parseJournal(text)?.bytes).toBe(bytes);
  });

  it.each(["", "/x", "/x\nNo journal files were found.", "take up 1G"])("has no size in %j", (text) => {
    expect(parseJournal(text)).toBeUndefined();
  });
});

describe("what is read of folders", () => {
  const printed = (mounts: string, ...disks: string[]): HostFacts =>
    parseFacts(["= disk", "h", ...disks, "= mounts", mounts, "= end"].join("\n"), "=");
  const folders = (facts: HostFacts, lines: string[], more: { ended?: boolean; refused?: string } = {}) =>
    foldersIn(
      { lines, ended: more.ended ?? false, refused: more.refused ?? null },
      { facts, full: facts.filesystems },
    );
  const ROOT = printed("/dev/sda1 / ext4 rw 0 0", "/dev/sda1 1000000 990000 10000 99% /");

  it("names each folder that was not reached, and takes only whole filesystems for whole", () => {
    const both = printed(
      "/dev/sda1 / ext4 rw 0 0\n/dev/sdb1 /data xfs rw 0 0",
      "/dev/sda1 1000000 990000 10000 99% /",
      "/dev/sdb1 1000000 990000 10000 99% /data",
    );
    const lines = ["100000\t/data/a", "990000\t/data", "700000\t/var/lib", "700000\t/var", "9000\t/home/x"];
    const { consumers, gaps } = folders(both, lines, { ended: true });
    expect(gaps.map((one) => one.split(" ")[0])).toEqual([
      "/home",
      "/opt",
      "/root",
      "/srv",
      "/tmp",
      "/usr/local",
    ]);
    expect(consumers.map(({ name, partial }) => [name, partial])).toEqual([
      ["/var/lib", true],
      ["/home/x", true],
      ["/data/a", undefined],
    ]);
  });

  it("says when most of the root filesystem is where nothing was looked at", () => {
    expect(folders(ROOT, ["950000\t/var/lib", "960000\t/var"])).toMatchObject({ gaps: [] });
    const { consumers, gaps } = folders(ROOT, ["90000\t/var/lib", "100000\t/var"]);
    expect(gaps).toEqual([
      expect.stringMatching(/^of \/ only \/var, .* were read: 911\.4 MB are elsewhere$/),
    ]);
    expect(consumers).toMatchObject([{ name: "/var/lib", partial: true }]);
  });

  it("is of the filesystem that it is on: of a device that is mounted twice, and not of one within", () => {
    const mounts = [
      "/dev/sda1 / btrfs rw,subvol=/@ 0 0",
      "/dev/sda1 /var btrfs rw,subvol=/@var 0 0",
      "tmpfs /var/log tmpfs rw 0 0",
    ];
    const facts = printed(mounts.join("\n"), "/dev/sda1 1000000 990000 10000 99% /");
    const { consumers } = folders(facts, ["700000\t/var/lib", "200000\t/var/log/journal", "950000\t/var"]);
    expect(consumers).toMatchObject([
      { name: "/var", mount: "/" },
      { name: "/var/lib", mount: "/" },
    ]);
  });
});

describe("what takes the most", () => {
  it("is the folder that it is in, not those above it", () => {
    const folder = (name: string, bytes: number): Consumer => ({ kind: "folder", name, bytes, mount: "/" });
    const list = [
      folder("/var", 100),
      folder("/var/lib", 95),
      folder("/var/lib/docker", 60),
      folder("/home", 30),
    ];
    expect(largest(list).map((one) => one.name)).toEqual(["/var/lib", "/var/lib/docker", "/home"]);
  });

  it.each([
    ["1.2GB", 1.2e9],
    ["300MB (12%)", 3e8],
    ["12kB", 12_000],
    ["0B", 0],
    ["", 0],
    ["1e9", 0],
    ["GB", 0],
  ])("%j is %d bytes", (text, bytes) => {
    expect(sizeOf(text)).toBe(bytes);
  });
});
