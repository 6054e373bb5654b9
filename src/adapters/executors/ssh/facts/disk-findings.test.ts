import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Printed as Host, judged, row } from "../../../../../test/support/host/judged.ts";
import { SEED } from "../../../../../test/support/random.ts";
import { loadRules, propose } from "../../../../decision/index.ts";
import type { Consumer } from "./disk-usage.ts";

const RULES = loadRules();

const proposed = (alert_name: string, { findings }: ReturnType<typeof judged>) =>
  propose(RULES, { alert_names: [alert_name], target: { kind: "host", name: "box-1" }, findings });

const take = (kind: Consumer["kind"], mount: string, bytes = 5e9): Consumer => ({
  kind,
  name: kind,
  bytes,
  mount,
});
const TAKERS = ["journal", "build_cache", "unused_images", "container_log", "deleted_file"] as const;
const MAKES_ROOM = ["journal_fills_disk", "build_cache_fills_disk", "unused_images_fill_disk"];
const SPACE = "NodeFilesystemAlmostOutOfSpace";

describe("what takes the room of a disk", () => {
  const found = (mount: string, percent: number, device?: string) => ({
    [mount]: `0\t${row(mount, percent, device)}`,
  });

  it.each<[string, Host, Record<string, string>[], string | null, string?]>([
    ["the one that it names", { disk: [row("/", 92)], paths: found("/", 92) }, [{ mountpoint: "/" }], "/"],
    ["the one whose device it names", { disk: [row("/", 92)] }, [{ device: "sdb1" }], "/"],
    ["a full one where it names none", { disk: [row("/", 97)] }, [{}], "/"],
    ["none that only will be full", { disk: [row("/", 94)] }, [{}], null],
    [
      "not another than it names",
      { disk: [row("/", 97), row("/data", 97, "/dev/sdc1")], paths: found("/data", 97, "/dev/sdc1") },
      [{ mountpoint: "/data" }],
      null,
    ],
    [
      "not another when that has room now",
      { disk: [row("/", 97), row("/data", 50)], paths: found("/data", 50) },
      [{ mountpoint: "/data" }],
      null,
    ],
    [
      "not another when that hangs",
      { disk: [row("/", 97)], paths: { "/nfs": "124\t" } },
      [{ mountpoint: "/nfs" }],
      null,
    ],
    ["not another when that is nowhere", { disk: [row("/", 97)] }, [{ mountpoint: "/gone" }], null],
    [
      "not another when nothing is mounted there",
      { disk: [row("/", 97)], paths: { "/data": `0\t${row("/", 97)}` } },
      [{ mountpoint: "/data" }],
      null,
    ],
    [
      "not another when df lists none of its device",
      { disk: [row("/", 97)] },
      [{ device: "/dev/sdz9" }],
      null,
    ],
    [
      "not another when that is an image",
      {
        disk: [row("/", 97)],
        mounts: ["/dev/loop1 /snap/core squashfs ro 0 0"],
        paths: found("/snap/core", 100, "/dev/loop1"),
      },
      [{ mountpoint: "/snap/core" }],
      null,
    ],
    [
      "the one of two that is full, beside an image that another label names",
      {
        disk: [row("/", 99)],
        mounts: ["/dev/sdb1 / ext4 rw 0 0", "/dev/loop1 /snap/core squashfs ro 0 0"],
        paths: { ...found("/", 99), ...found("/snap/core", 100, "/dev/loop1") },
      },
      [{ mountpoint: "/" }, { path: "/snap/core" }],
      "/",
    ],
    [
      "none where it has no inodes",
      { disk: [row("/", 97)], inodes: [row("/", 100)], paths: found("/", 97) },
      [{ mountpoint: "/" }],
      null,
    ],
    [
      "none where it is read-only",
      { disk: [row("/", 97)], mounts: ["/dev/sdb1 / ext4 ro,relatime 0 0"], paths: found("/", 97) },
      [{ mountpoint: "/" }],
      null,
    ],
    [
      "none where the alert is about latency",
      { disk: [row("/", 97)] },
      [{}],
      null,
      "HostDiskUnusualReadLatency",
    ],
    ["none where it is about inodes", { disk: [row("/", 97)] }, [{}], null, "NodeFilesystemFilesFillingUp"],
    ["none where it is about reading only", { disk: [row("/", 97)] }, [{}], null, "HostFilesystemReadonly"],
    ["none where it is about operations", { disk: [row("/", 97)] }, [{}], null, "HighDiskIOUsage"],
  ])("is freed of %s", (_what, host, labels, mount, alert_name = SPACE) => {
    const seen = judged(
      host,
      labels,
      TAKERS.map((kind) => take(kind, "/")),
    );
    const { rule_id, operation } = proposed(alert_name, seen);
    if (mount === null) expect([rule_id, operation.kind]).toEqual(["investigate", "investigate"]);
    else expect([rule_id, operation.kind]).toEqual(["journal_fills_disk", "host.vacuum_journal"]);
    // What else is found is told all the same.
    const large = seen.findings.filter((one) => one.code === "journal_large" && one.title.endsWith(" on /"));
    expect(large).toHaveLength(1);
  });

  it("is never freed of anything for another disk than the alert is about, whatever is found", () => {
    const MOUNTS = ["/", "/data", "/var/lib/docker", "/srv/my files"];
    const state = fc.record({
      percent: fc.constantFrom(10, 89, 90, 94, 95, 99, 100),
      inodes: fc.constantFrom(10, 10, 10, 100),
      read_only: fc.constantFrom(false, false, false, true),
      named: fc.constantFrom("no", "no", "yes", "hangs", "refused"),
      takers: fc.subarray([...TAKERS]),
    });
    const alert = fc.constantFrom(
      SPACE,
      "DiskFull",
      "Disk usage is high",
      "HostOutOfInodes",
      "DiskReadLatency",
      "CpuUsage",
    );
    fc.assert(
      fc.property(fc.array(state, { minLength: 4, maxLength: 4 }), alert, (states, alert_name) => {
        const each = MOUNTS.map((mount, at) => ({ mount, device: `/dev/sd${at}1`, ...states[at]! }));
        const answers = { no: "", yes: "0", hangs: "124\t", refused: "1\tdf: x: Permission denied" };
        const host: Host = {
          disk: each.map(({ mount, percent, device }) => row(mount, percent, device)),
          inodes: each.map(({ mount, inodes, device }) => row(mount, inodes, device)),
          mounts: each.map(
            ({ mount, device, read_only }) =>
              `${device} ${mount.replace(" ", "\\040")} ext4 ${read_only ? "ro" : "rw"} 0 0`,
          ),
          paths: Object.fromEntries(
            each.map(({ mount, percent, device, named }) => [
              mount,
              named === "yes" ? `0\t${row(mount, percent, device)}` : answers[named],
            ]),
          ),
        };
        const labels = each.filter(({ named }) => named !== "no").map(({ mount }) => ({ mountpoint: mount }));
        const room = each.flatMap(({ mount, takers }) => takers.map((kind) => take(kind, mount)));
        const seen = judged(host, labels, room);
        // What is refused is a disk that df lists all the same.
        const meant = each.filter(
          ({ named, percent }) =>
            percent >= (labels.length === 0 ? 95 : 90) && (labels.length === 0 || named !== "no"),
        );
        const well = (one: (typeof each)[number]) => !one.read_only && one.inodes < 95;
        const causes = seen.findings.filter(
          ({ weight, code }) => weight === "cause" && /large|unused|deleted/.test(code),
        );
        const on = (mount: string) => causes.filter(({ title }) => title.endsWith(` on ${mount}`));
        for (const one of each)
          expect(on(one.mount).length).toBe(meant.includes(one) && well(one) ? one.takers.length : 0);
        const { rule_id } = proposed(alert_name, seen);
        const other = each.some((one) => !well(one) || one.named === "hangs");
        const safe = causes.some(({ code }) => /journal|docker/.test(code));
        const about = [SPACE, "DiskFull", "Disk usage is high"].includes(alert_name);
        expect(MAKES_ROOM.includes(rule_id)).toBe(about && safe && !other);
        if (each.some(({ percent }) => percent >= 95)) expect(rule_id).not.toBe("always_full");
      }),
      { seed: SEED, numRuns: 500 },
    );
  });
});

describe("an image that is full by its nature", () => {
  const image: Host = {
    mounts: ["/dev/sda1 / ext4 rw 0 0", "/dev/loop1 /snap/core squashfs ro 0 0"],
    paths: { "/snap/core": `0\t${row("/snap/core", 100, "/dev/loop1")}` },
  };
  const SNAP = { path: "/snap/core" };

  it("is left alone where nothing else is in trouble", () => {
    expect(proposed(SPACE, judged(image, [SNAP])).rule_id).toBe("always_full");
  });

  it.each<[string, Host, Record<string, string>[]]>([
    ["is full", { disk: [row("/", 99)] }, []],
    ["is nearly full", { disk: [row("/", 91)] }, []],
    ["has no inodes", { inodes: [row("/", 99)] }, []],
    ["hangs", { paths: { ...image.paths, "/nfs": "124\t" } }, [{ mountpoint: "/nfs" }]],
    ["is gone", {}, [{ mountpoint: "/gone" }]],
    [
      "could not be looked at",
      { paths: { ...image.paths, "/data": "1\tdf: /data: Permission denied" } },
      [{ mountpoint: "/data" }],
    ],
  ])("keeps nobody from looking at another disk that %s", (_what, more, labels) => {
    const seen = judged({ ...image, ...more }, [SNAP, ...labels]);
    expect(proposed(SPACE, seen).operation.kind).toBe("investigate");
  });
});
