import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { HEAD, type Printed as Host, judged, ROOT, row } from "../../../../../test/support/host/judged.ts";
import { SEED } from "../../../../../test/support/random.ts";

describe("what df says", () => {
  it.each<[string, Host, string, number]>([
    [
      "a share with a blank in its name",
      { disk: ["//nas/My Share 1000000 1000000 0 100% /mnt/share"] },
      "/mnt/share",
      100,
    ],
    [
      "sshfs of a folder with blanks",
      { disk: ["me@nas:/my own files 1000 990 10 99% /mnt/my own"] },
      "/mnt/my own",
      99,
    ],
    [
      "a name that looks like numbers",
      {
        disk: ["a 1 2 3 4% /b 1000 990 10 99% /mnt/odd"],
        mounts: ["a\\0401\\0402\\0403\\0404%\\040/b /mnt/odd cifs rw 0 0"],
      },
      "/mnt/odd",
      99,
    ],
    ["more used than there is", { disk: ["/dev/sdb1 1000 1000 -48 100% /data"] }, "/data", 100],
    [
      "a root filesystem that is an overlay",
      { disk: ["overlay 20000000 19900000 100000 100% /"], mounts: ["overlay / overlay rw 0 0"] },
      "/",
      100,
    ],
    [
      "one that is none",
      { disk: ["none 20000000 19900000 100000 100% /"], mounts: ["none / overlay rw 0 0"] },
      "/",
      100,
    ],
    ["a container's on ZFS", { disk: ["rpool/data/subvol-101-disk-0 8388608 8388608 0 100% /"] }, "/", 100],
    [
      "a disk whose device is called as no disk is",
      { disk: ["none 1000 990 10 99% /vagrant"], mounts: ["none /vagrant vboxsf rw 0 0"] },
      "/vagrant",
      99,
    ],
    [
      "mergerfs",
      { disk: ["1:2:3 1000 990 10 99% /srv/pool"], mounts: ["1:2:3 /srv/pool fuse.mergerfs rw 0 0"] },
      "/srv/pool",
      99,
    ],
  ])("is understood of %s", (_what, host, mount, percent) => {
    const { facts, codes } = judged({
      disk: mount === "/" ? (host.disk ?? []) : [ROOT, ...(host.disk ?? [])],
      ...(host.mounts && { mounts: host.mounts }),
    });
    expect(facts.filesystems.findLast((one) => one.mount === mount)?.used_percent).toBe(percent);
    expect(facts.unread).toEqual([]);
    expect(codes).toContain("disk_full");
  });

  it.each<[string, Host]>([
    ["proc", { disk: [ROOT, "proc 0 0 0 - /proc/sub", "- - - - - /mnt/none"] }],
    ["filesystems without inodes", { inodes: ["/dev/sda2 0 0 0 - /boot/efi", "/dev/sda1 100 10 90 10% /"] }],
    ["what nobody but its user may see", { disk: ["df: /run/user/1000/doc: Operation not permitted", ROOT] }],
    [
      "the layers of containers",
      {
        disk: ["df: /var/lib/containers/overlay/7/merged: Permission denied", ROOT],
        mounts: ["/dev/sda1 / ext4 rw 0 0", "overlay /var/lib/containers/overlay/7/merged overlay rw 0 0"],
      },
    ],
  ])("makes no trouble of %s", (_what, host) => {
    const { facts, codes } = judged(host);
    expect(facts.unread).toEqual([]);
    expect(codes).toEqual(["host_healthy"]);
  });

  it.each<[string, Host, Record<string, string>, string]>([
    [
      "a line in another form",
      { disk: [ROOT, "/dev/sdb1 1.0T 990G 10G 99% /data"] },
      {},
      "a line of disk (/dev/sdb1 1.0T",
    ],
    ["no disk at all", { disk: ["tmpfs 10 10 0 100% /tmp"] }, {}, "disk"],
    ["nothing", { more: { disk: "" } }, {}, "disk"],
    ["only a part, when it was ended", { failed: ["disk"] }, {}, "disk"],
    [
      "that it may not look",
      { disk: ["df: /data: Permission denied", ROOT] },
      {},
      "/data (Permission denied)",
    ],
    [
      "that a server forgot it",
      { disk: ["df: '/mnt/my nfs': Stale file handle", ROOT] },
      {},
      "/mnt/my nfs (Stale file handle)",
    ],
    [
      "that it may not look at what is named",
      { paths: { "/x": "1\tdf: /x: Permission denied" } },
      { mountpoint: "/x" },
      "/x (Permission denied)",
    ],
    [
      "an error in reading it",
      { paths: { "/x": "1\tdf: /x: Input/output error" } },
      { mountpoint: "/x" },
      "/x (Input/output error)",
    ],
    [
      "that of a path with an odd name",
      {
        paths: {
          "/x: No such file or directory": "1\tdf: '/x: No such file or directory': Permission denied",
        },
      },
      { mountpoint: "/x: No such file or directory" },
      "/x: No such file or directory (Permission denied)",
    ],
    [
      "nothing, with an error",
      { paths: { "/x": "1\t" } },
      { mountpoint: "/x" },
      "/x (df ended with exit code 1)",
    ],
    [
      "that there is no timeout",
      { paths: { "/x": "127\tsh: 1: timeout: not found" } },
      { mountpoint: "/x" },
      "/x (df ended with exit code 127)",
    ],
    [
      "that there is no df",
      { paths: { "/x": "127\ttimeout: failed to run command 'df': No such file or directory" } },
      { mountpoint: "/x" },
      "/x (df ended with exit code 127)",
    ],
    [
      "numbers that it does not know",
      { paths: { "/x": `0\t${HEAD}\tnas 10 ? ? ?% /x` } },
      { mountpoint: "/x" },
      "/x (the output of df could not be parsed)",
    ],
    [
      "that it reports no size",
      { paths: { "/x": `0\t${HEAD}\tauto 0 0 0 - /x` } },
      { mountpoint: "/x" },
      "/x (it reports no size)",
    ],
    [
      "no such file of what is mounted",
      { mounts: ["nas /x nfs rw 0 0"], paths: { "/x": "1\tdf: /x: No such file or directory" } },
      { mountpoint: "/x" },
      "/x (No such file or directory)",
    ],
    [
      "nothing more, when it was cut",
      { paths: { "/x": "" } },
      { mountpoint: "/x" },
      "/x (df ended with exit code unknown)",
    ],
    ["nothing of a device", {}, { device: "/dev/mapper/data" }, "/dev/mapper/data (df does not list it)"],
  ])("is not read where it is %s", (_what, host, labels, unread) => {
    const { facts, codes } = judged(host, [labels]);
    expect(facts.unread).toEqual([expect.stringContaining(unread)]);
    expect(codes).not.toContain("host_healthy");
    expect(codes).not.toContain("disk_not_there");
  });

  it.each(["units", "containers", "kernel", "certificates", "inodes"])(
    "of a host is not all where %s failed",
    (name) => {
      const { facts, codes } = judged({ failed: [name] });
      expect(facts.unread).toEqual([name]);
      expect(codes).toEqual([]);
    },
  );

  it.each([
    ["memory", "MemTotal: 8000000 kB"],
    ["system", "Linux 6.1.0 x86_64"],
    ["processes", "ps: unknown option"],
    ["inodes", ""],
  ])("nor is %s where nothing of it is understood", (name, said) => {
    const { facts, codes } = judged({ more: { [name]: said } });
    expect(facts.unread).toEqual([name]);
    expect(codes).toEqual([]);
  });

  it.each([
    ["No such file or directory", "/gone does not exist"],
    ["Not a directory", "/gone does not exist"],
  ])("is that nothing is there only by %j, and then the host is not called well", (reason, title) => {
    const { findings, codes } = judged({ paths: { "/gone": `1\tdf: /gone: ${reason}` } }, [
      { mountpoint: "/gone" },
    ]);
    expect(findings).toMatchObject([{ code: "disk_not_there", weight: "note", title }]);
    expect(codes).not.toContain("host_healthy");
  });

  it("is that nothing is mounted where the path is a folder of another", () => {
    const { findings } = judged({ paths: { "/data": `0\t${ROOT}` } }, [{ mountpoint: "/data" }]);
    expect(findings).toMatchObject([
      {
        code: "disk_not_there",
        title: "Nothing is mounted at /data: it is a folder of /, 50% used, 10.2 GB of 20.5 GB free (ext4)",
      },
    ]);
    // By its device it is the one that is meant, as of what is mounted into a container.
    const bind = judged({ paths: { "/etc/hosts": `0\t${ROOT}` } }, [
      { mountpoint: "/etc/hosts", device: "/dev/sda1" },
    ]);
    expect(bind.codes).toContain("disk_has_room");
    expect(bind.codes).not.toContain("disk_not_there");
  });
});

describe("a path that a monitor in a container may have written", () => {
  const at = (mount: string, percent = 97) => `0\t${row(mount, percent)}`;
  it.each<[string, Record<string, string>, string, string]>([
    [
      "is looked at as it is first",
      { "/host/data": at("/host/data"), "/data": at("/data") },
      "/host/data",
      "/host/data is 97% full",
    ],
    [
      "is the host's own where there is no such path",
      { "/data": at("/data") },
      "/host/data",
      "/data is 97% full",
    ],
    [
      "is the root of it",
      { "/": `0\t${ROOT}` },
      "/rootfs",
      "/ has space now: 50% used, 10.2 GB of 20.5 GB free (ext4)",
    ],
    [
      "is what is mounted, before a folder",
      { "/host/data": at("/", 40), "/data": at("/data") },
      "/host/data",
      "/data is 97% full",
    ],
    [
      "is what hangs",
      { "/host/data": "124\t", "/data": at("/data") },
      "/host/data",
      "The filesystem of /host/data does not answer",
    ],
    [
      "is what hangs of the host's own",
      { "/data": "137\t" },
      "/hostfs/data",
      "The filesystem of /data does not answer",
    ],
    ["is nowhere as it was given", {}, "/rootfs/data", "/rootfs/data does not exist"],
  ])("%s", (_what, paths, mountpoint, title) => {
    const { findings } = judged({ paths }, [{ mountpoint }]);
    expect(findings.filter(({ code }) => code !== "host_healthy").map((one) => one.title)).toEqual([title]);
  });

  it("is not read as it is where that is refused", () => {
    const refused = "1\tdf: /host/x: Permission denied";
    const { facts, codes } = judged({ paths: { "/host/x": refused } }, [{ mountpoint: "/host/x" }]);
    expect(facts.unread).toEqual(["/host/x (Permission denied)"]);
    expect(codes).toEqual([]);
  });
});

describe("the text of a label", () => {
  it("is in what is told only as text for people", () => {
    const path = fc
      .string({
        unit: fc.constantFrom(
          "a",
          "/",
          " ",
          "\u001b[31m",
          "\u202e",
          "\u001b]0;t\u0007",
          "\u2066",
          "\t",
          "\u009b",
        ),
      })
      .map((text) => `/${text}`);
    const answer = fc.constantFrom(
      "124\t",
      "1\tdf: x: No such file or directory",
      "1\tdf: x: Permission denied",
      `0\t${ROOT}`,
    );
    fc.assert(
      fc.property(path, answer, (mountpoint, said) => {
        const { findings, items, facts } = judged({ paths: { [mountpoint]: said } }, [{ mountpoint }]);
        expect(JSON.stringify([findings, items, facts.unread])).not.toMatch(
          /\\u00|\p{Cc}|[\u202a-\u202e\u2066-\u2069]/u,
        );
      }),
      { seed: SEED },
    );
  });
});
