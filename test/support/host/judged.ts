import type { Consumer } from "../../../src/adapters/executors/ssh/facts/disk-usage.ts";
import { type HostFacts, parseFacts } from "../../../src/adapters/executors/ssh/facts/facts.ts";
import { evidenceOf, findingsOf } from "../../../src/adapters/executors/ssh/facts/findings.ts";
import {
  forNamedPaths,
  namedFilesystems,
  namedIn,
} from "../../../src/adapters/executors/ssh/facts/mounts.ts";

export const HEAD = "Filesystem     1024-blocks     Used Available Capacity Mounted on";
export const ROOT = "/dev/sda1         20000000 10000000  10000000      50% /";

/** A row of df in blocks of 1 kB. */
export const row = (mount: string, percent: number, device = "/dev/sdb1", size = 20_000_000) =>
  `${device} ${size} ${(size * percent) / 100} ${(size * (100 - percent)) / 100} ${percent}% ${mount}`;

export type Printed = {
  disk?: string[];
  inodes?: string[];
  mounts?: string[];
  /** By path: the exit code of df and what it has said. */
  paths?: Record<string, string>;
  failed?: string[];
  more?: Record<string, string>;
};

/** What is said of a host that printed this, to an alert with these labels. */
export function judged(host: Printed, labels: Record<string, string>[] = [], room: Consumer[] = []) {
  const named = namedIn(labels);
  const { disk = [ROOT], inodes = [], mounts = ["/dev/sda1 / ext4 rw 0 0"], paths = {}, failed = [] } = host;
  const gone = (path: string) => `1\tdf: ${path}: No such file or directory`;
  const parts: Record<string, string> = {
    system: "Linux 6.1.0 x86_64\n1767610000\n90000.55 170000.00\n0.10 0.20 0.30 1/200 4242\n4",
    memory: "MemTotal: 8000000 kB\nMemAvailable: 4000000 kB",
    disk: [HEAD, ...disk].join("\n"),
    inodes: ["Filesystem Inodes IUsed IFree IUse% Mounted on", ...inodes].join("\n"),
    mounts: mounts.join("\n"),
    processes: "1 0 S 0.0 100 10 init",
    named: named.paths.map((path) => paths[path] ?? gone(path)).join("\n"),
    failed: failed.join("\n"),
    ...host.more,
    end: "",
  };
  const text = Object.entries(parts).map(([name, said]) => `= ${name}\n${said}`);
  const facts: HostFacts = forNamedPaths(parseFacts(text.join("\n"), "=", named.paths), named);
  const { cite, items } = evidenceOf("ssh", "2026-01-05T10:00:00.000Z");
  const findings = findingsOf(facts, cite, "box-1", { about: namedFilesystems(facts, named), room });
  return { facts, findings, items, codes: findings.map((one) => one.code) };
}
