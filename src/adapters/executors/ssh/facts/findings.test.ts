import { readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { SEED } from "../../../../../test/support/random.ts";
import { finding, investigation } from "../../../../contract/evidence.ts";
import { Output } from "../connection/output.ts";
import { inLine, shown } from "../text.ts";
import type { Consumer } from "./disk-usage.ts";
import { type HostFacts, parseFacts } from "./facts.ts";
import { evidenceOf, findingsOf } from "./findings.ts";
import { namedFilesystems, namedIn } from "./mounts.ts";

const MARK = "=abc=";
const printed = (parts: Record<string, string>) =>
  `${Object.entries({ ...WELL, ...parts, end: "" })
    .map(([name, text]) => `\n${MARK} ${name}\n${text}`)
    .join("\n")}\n`;

const WELL: Record<string, string> = {
  system: "Linux 6.1.0 x86_64\n1767610000\n90000.55 170000.00\n0.10 0.20 0.30 1/200 4242\n4",
  memory: "MemTotal: 8000000 kB\nMemAvailable: 4000000 kB\nSwapTotal: 1000000 kB\nSwapFree: 1000000 kB",
  disk: "Filesystem 1024-blocks Used Available Capacity Mounted on\n/dev/sda1 1000000 400000 600000 40% /\ntmpfs 10 10 0 100% /run",
  inodes: "Filesystem Inodes IUsed IFree IUse% Mounted on\n/dev/sda1 1000 100 900 10% /",
  mounts: "/dev/sda1 / ext4 rw,relatime 0 0\n/dev/loop0 /snap/core squashfs ro 0 0",
  processes: "1 0 Ss 0.0 10000 90000 systemd\n50 1 S 1.5 200000 80000 nginx",
  units: "",
  clock: "NTP=yes\nNTPSynchronized=yes",
  kernel: "",
  containers:
    "web\trunning\tUp 2 hours (healthy)\tweb:1\nold\texited\tExited (1) 3 weeks ago\tweb:0\njob\texited\tExited (0) 2 minutes ago\tjob:1",
  certificates: "",
};

function found(parts: Record<string, string>) {
  const { cite, items } = evidenceOf("ssh", "2026-01-05T10:00:00.000Z");
  const findings = findingsOf(parseFacts(printed(parts), MARK), cite, "web1");
  const ids = new Set(items.map((one) => one.id));
  for (const one of findings) {
    finding.parse(one);
    expect(one.code).toMatch(/^[a-z0-9_]+$/);
    expect(one.evidence.filter((id) => !ids.has(id))).toEqual([]);
  }
  return { findings, items, codes: findings.map((one) => one.code) };
}

describe("what facts mean", () => {
  it("is nothing where all is well", () => {
    const facts = parseFacts(printed({}), MARK);
    expect(facts).toMatchObject({
      uptime: 90_000.55,
      load: [0.1, 0.2, 0.3],
      cores: 4,
      clock: 1_767_610_000,
      unread: [],
    });
    expect(facts.filesystems.map((one) => one.mount)).toEqual(["/"]);
    expect(found({}).findings).toMatchObject([
      {
        code: "host_healthy",
        title: expect.stringContaining(
          "load 0.1 on 4 cores, 4.1 GB of 8.2 GB memory available, the fullest disk is / with 40%",
        ),
      },
    ]);
  });

  it.each<[string, string, Record<string, string>, string]>([
    ["disk_full", "cause", { disk: "h\n/dev/sda1 1000 990 10 99% /var" }, "/var is 99% full"],
    ["disk_nearly_full", "note", { disk: "h\n/dev/sda1 1000 920 80 92% /" }, "/ is 92% full"],
    ["inodes_full", "cause", { inodes: "h\n/dev/sda1 1000 1000 0 100% /" }, "100% of its inodes"],
    ["filesystem_read_only", "cause", { mounts: "/dev/sda1 /data ext4 ro,relatime 0 0" }, "/data"],
    ["memory_exhausted", "cause", { memory: "MemTotal: 8000000 kB\nMemAvailable: 80000 kB" }, "81.9 MB"],
    [
      "swap_heavy",
      "symptom",
      { memory: "MemTotal: 8000000 kB\nMemAvailable: 4000000 kB\nSwapTotal: 1000 kB\nSwapFree: 10 kB" },
      "swap",
    ],
    [
      "oom_kill",
      "cause",
      { kernel: "[89000.1] Out of memory: Killed process 4242 (java) total-vm:1kB" },
      "The kernel killed java",
    ],
    ["load_high", "symptom", { system: WELL.system!.replace("0.10 0.20", "9.00 9.50") }, "9.5 on 4 cores"],
    ["runaway_process", "symptom", { processes: "99 1 R 99.5 100 7200 spin" }, "spin (99)"],
    [
      "zombie_processes",
      "note",
      { processes: ["50 1 S 0.0 1 1 parent", ...Array(12).fill("60 50 Z 0.0 0 1 x")].join("\n") },
      "parent (50)",
    ],
    [
      "unit_failed",
      "cause",
      { units: "● nginx.service loaded failed failed A web server" },
      "nginx.service has failed",
    ],
    [
      "container_restarting",
      "cause",
      { containers: "web\trestarting\tRestarting (1) 3 seconds ago\tweb:1" },
      "web",
    ],
    [
      "container_exited",
      "cause",
      { containers: "web\texited\tExited (137) 3 minutes ago\tweb:1" },
      "exit code 137",
    ],
    [
      "container_unhealthy",
      "cause",
      { containers: "web\trunning\tUp 3 hours (unhealthy)\tweb:1" },
      "not healthy",
    ],
    ["clock_unsynchronised", "note", { clock: "NTPSynchronized=no" }, "clock"],
  ])("is %s", (code, weight, parts, title) => {
    const { findings } = found(parts);
    expect(findings).toEqual([
      expect.objectContaining({ code, weight, title: expect.stringContaining(title) }),
    ]);
  });

  it("puts causes first", () => {
    const { codes } = found({
      clock: "NTPSynchronized=no",
      units: "nginx.service loaded failed failed x",
      disk: "h\n/dev/sda1 1000 990 10 99% /",
    });
    expect(codes).toEqual(["disk_full", "unit_failed", "clock_unsynchronised"]);
  });

  const of = (mount: string, used: number, size = 1e7, device = "/dev/sdb1") =>
    `${device} ${size} ${(size * used) / 100} ${(size * (100 - used)) / 100} ${used}% ${mount}`;
  const named = (labels: Record<string, string>, parts: Record<string, string>, room: Consumer[] = []) => {
    const about = namedIn([labels]);
    const facts = parseFacts(printed(parts), MARK, about.paths);
    const { cite } = evidenceOf("ssh", "2026-01-05T10:00:00.000Z");
    return findingsOf(facts, cite, "web1", { about: namedFilesystems(facts, about), room });
  };

  it.each<[string, Record<string, string>, Record<string, string>, string]>([
    [
      "disk_has_room",
      { mountpoint: "/mnt/nas" },
      { named: `0\t${of("/mnt/nas", 43, 1e9, "nas:/x")}`, mounts: "nas:/x /mnt/nas nfs4 rw 0 0" },
      "/mnt/nas has space now: 43% used, 583.7 GB of 1.0 TB free (nfs4)",
    ],
    [
      "disk_full",
      { mountpoint: "/rootfs/dev/shm" },
      { named: `0\t${of("/dev/shm", 100, 1000, "tmpfs")}`, mounts: "tmpfs /dev/shm tmpfs rw 0 0" },
      "/dev/shm is 100% full",
    ],
    [
      "disk_always_full",
      { mount: "/snap/core" },
      {
        named: `0\t${of("/snap/core", 100, 1000, "/dev/loop0")}`,
        mounts: "/dev/loop0 /snap/core squashfs ro 0 0",
      },
      "/snap/core is an image (squashfs",
    ],
    ["disk_not_answering", { mountpoint: "/mnt/dead" }, { named: "124\t" }, "/mnt/dead does not answer"],
    [
      "disk_not_there",
      { mountpoint: "/gone" },
      { named: "1\tdf: /gone: No such file or directory" },
      "/gone does not exist",
    ],
    ["disk_has_room", { device: "sda1" }, {}, "/ has space now: 40% used"],
    ["disk_has_room", { device: "/dev/sda1" }, {}, "/ has space now"],
    [
      "disk_full",
      { path: "/var/lib/my data/x" },
      {
        named: `0\t${of("/var/lib/my data", 97)}`,
        mounts: "/dev/sdb1 /var/lib/my\\040data xfs rw 0 0",
      },
      "/var/lib/my data is 97% full",
    ],
  ])("is %s where the alert names %j", (code, labels, parts, title) => {
    const found = named(labels, parts);
    expect(found).toContainEqual(expect.objectContaining({ code, title: expect.stringContaining(title) }));
    if (code === "disk_full" || code === "disk_not_answering")
      expect(found.map((one) => one.code)).not.toContain("host_healthy");
  });

  it("looks at no path and no device that a label cannot mean", () => {
    const odd = { mountpoint: "-x", mount: "a\nb", device: "$(reboot)", disk: "", path: "relative" };
    expect(namedIn([odd, { mountpoint: "/a\n/b" }])).toEqual({ paths: [], mounts: [], devices: [] });
    const many = Array.from({ length: 50 }, (_, at) => ({ mountpoint: `/m${at}`, device: `sd${at}` }));
    expect(namedIn(many).paths).toHaveLength(4);
    // What is no mount of a URL is not missed.
    expect(namedIn([{ path: "/api/v1" }])).toEqual({ paths: ["/api/v1"], mounts: [], devices: [] });
  });

  it("says what takes the room of the full filesystem, and what is safe, of that one only", () => {
    const take = (kind: Consumer["kind"], bytes: number, mount = "/data"): Consumer => ({
      kind,
      name: kind,
      bytes,
      mount,
    });
    const parts = { disk: `h\n${of("/data", 99)}\n${of("/", 40)}` };
    const room = [
      take("folder", 4e9),
      take("journal", 3e9),
      take("build_cache", 2e9),
      take("unused_images", 1.5e9),
      take("container_log", 1.2e9),
      take("deleted_file", 1.1e9),
      // Too little, and of another disk.
      take("deleted_file", 0.9e9),
      take("journal", 9e9, "/"),
    ];
    const found = named({}, parts, room);
    expect(found.map((one) => one.code)).toEqual([
      "disk_full",
      "journal_large",
      "docker_build_cache_large",
      "docker_images_unused",
      "container_log_large",
      "deleted_files_open",
    ]);
    expect(found[0]?.title).toBe("/data is 99% full; the largest there: folder 4.0 GB");
    expect(found.every((one) => one.weight === "cause")).toBe(true);
    // Of a small disk a journal may take much, and there is nothing to cut it down to.
    const small = named({}, { disk: `h\n${of("/data", 99, 1e5)}` }, [take("journal", 9e7)]);
    expect(small.map((one) => one.code)).toEqual(["disk_full"]);
  });

  it("leaves old kills of the kernel alone", () => {
    expect(found({ kernel: "[100.1] Out of memory: Killed process 4242 (java)" }).codes).toEqual([
      "host_healthy",
    ]);
  });

  it("is not led astray by names that look like sections", () => {
    const { codes } = found({
      processes: `1 0 S 0.0 1 1 = units\n2 1 S 0.0 1 1 evil.service loaded failed\n=xyz= units\nevil.service loaded failed failed x`,
    });
    expect(codes).toEqual(["host_healthy"]);
  });
});

describe("the reference of findings", () => {
  it("has every code of hosts", () => {
    const read = (path: string) => readFileSync(join(import.meta.dirname, path), "utf8");
    const [, section = ""] = read("../../../../../docs/reference/findings.md").split("\n## Hosts\n");
    const told = [...(section.split("\n## ")[0] ?? "").matchAll(/^\| (?:<a id="\w+"><\/a>)?`(\w+)`/gm)].map(
      ([, code]) => code,
    );
    const source = ["findings.ts", "disk-findings.ts", "investigator.ts"].map(read).join("");
    const topics =
      "host|restarted|filesystem|disk|journal|docker|deleted|inodes|memory|swap|oom|load|runaway|zombie|unit|container|certificate|clock";
    const used = [...source.matchAll(new RegExp(`"((?:${topics})_[a-z_]+)"`, "g"))].map(([, code]) => code);
    expect(told.length).toBeGreaterThan(20);
    expect([...new Set(used)].sort()).toEqual([...told].sort());
  });
});

describe("what a host says", () => {
  it("makes facts and findings whatever it is", () => {
    const sections = Object.keys(WELL);
    const line = fc.oneof(
      fc.string({ unit: "binary" }),
      fc.constantFrom(...Object.values(WELL).flatMap((one) => one.split("\n"))),
    );
    const text = fc.dictionary(
      fc.constantFrom(...sections),
      fc.array(line, { maxLength: 6 }).map((all) => all.join("\n")),
    );
    fc.assert(
      fc.property(text, (parts) => {
        const { findings, items } = found(parts);
        const whole = {
          at: "2026-01-05T10:00:00.000Z",
          target: null,
          evidence: items,
          findings,
          missing: [],
        };
        expect(investigation.safeParse(whole).success).toBe(true);
        expect(JSON.stringify(whole)).not.toMatch(/\\u00(?:0[0-8bcef]|1)/);
      }),
      { seed: SEED, numRuns: 300 },
    );
  });

  it("is shown without control characters, and without credentials", () => {
    expect(inLine("a\u001b[31mred\u001b[0m\u0007\u202eb\r\n c\u001b]0;title\u0007")).toBe(
      "ared b c".replace("red b", "redb"),
    );
    expect(shown("password=hunter2hunter2")).toBe("password=[redacted]");
    expect(shown("x".repeat(5_000), 100)).toMatch(/^x{100}… \(5000 characters\)$/);
    const facts: HostFacts = parseFacts(
      printed({ units: "\u001b[31mevil\u001b[0m.service loaded failed" }),
      MARK,
    );
    expect(JSON.stringify(facts.failed_units)).not.toContain("u001b");
  });

  it("is kept in its beginning and its end", () => {
    fc.assert(
      fc.property(
        fc.array(fc.string({ maxLength: 40 }), { maxLength: 60 }),
        fc.integer({ min: 2, max: 64 }),
        (chunks, half) => {
          const output = new Output(half * 2);
          for (const chunk of chunks) output.add(Buffer.from(chunk));
          const all = Buffer.from(chunks.join(""));
          expect(output.total).toBe(all.length);
          expect(output.dropped).toBe(Math.max(all.length - half * 2, 0));
          if (output.dropped === 0) expect(output.text()).toBe(all.toString());
          else expect(output.text().endsWith(all.subarray(-half).toString())).toBe(true);
        },
      ),
      { seed: SEED },
    );
  });
});
