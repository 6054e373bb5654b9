import type { Finding } from "../../../../contract/evidence.ts";
import { inBytes, inLine } from "../text.ts";
import type { Consumer } from "./disk-usage.ts";
import type { HostFacts } from "./facts.ts";
import { type Filesystem, FULL, isImage } from "./filesystems.ts";
import type { Cite, FindingRule, HostEvidence } from "./finding-rule.ts";
import type { NamedPath } from "./mounts.ts";

const NEARLY_FULL = 90;
// Share of a filesystem's size: a consumer with less does not explain why it is full.
const MUCH = 0.1;
// A little above the 500 MB that the shipped rule leaves: a smaller journal has nothing to remove.
const JOURNAL_KEPT = 600 * 1_048_576;
const MEMORY = /^(tmpfs|ramfs)$/;

const inWords = ({ used_percent, free, size, type }: Filesystem) =>
  `${used_percent}% used, ${inBytes(free)} of ${inBytes(size)} free${type === "" ? "" : ` (${type})`}`;

type ReadResult = { code: string; title: (one: Consumer) => string; meaning: string };

const CONSUMER_TEXTS: Record<Exclude<Consumer["kind"], "folder">, ReadResult> = {
  journal: {
    code: "journal_large",
    title: ({ bytes }) => `The systemd journal takes ${inBytes(bytes)}`,
    meaning:
      "Its oldest entries can be removed: journalctl --vacuum-size=500M. SystemMaxUse in journald.conf limits it.",
  },
  build_cache: {
    code: "docker_build_cache_large",
    title: ({ name, bytes }) => `${name} takes ${inBytes(bytes)}`,
    meaning:
      "No running container needs it: docker builder prune removes it, and the next builds take longer.",
  },
  unused_images: {
    code: "docker_images_unused",
    title: ({ bytes }) => `Untagged images that no container uses take about ${inBytes(bytes)}`,
    meaning: "docker image prune removes them. Shared layers stay, so it may free less.",
  },
  container_log: {
    code: "container_log_large",
    title: ({ name, bytes }) => `The log of container ${name} takes ${inBytes(bytes)}`,
    meaning:
      "Emptying it loses only its lines (host.clear_docker_logs). `max-size` of its log driver limits it.",
  },
  deleted_file: {
    code: "deleted_files_open",
    title: ({ name, bytes }) => `${name} keeps ${inBytes(bytes)} of deleted files open`,
    meaning: "The space is freed when that process closes them, usually by its restart.",
  },
};

/**
 * Returns whether what fills this filesystem explains the alert: the alert names it (or names none, and it is full), and
 * it is neither read-only nor out of inodes. On any other filesystem a large consumer is a note, no reason to remove it.
 */
function isMeant(one: Filesystem, { about, named, read_only, inodes }: HostEvidence): boolean {
  const { mount, used_percent } = one;
  const other =
    read_only.includes(mount) || inodes.some((it) => it.mount === mount && it.used_percent >= FULL);
  const names = about.length + named.length > 0;
  return !other && (names ? about.some((it) => it.mount === mount) : used_percent >= FULL);
}

/** Returns a finding for each large consumer of a full filesystem, with what is safe to do about it. */
function takers(one: Filesystem, facts: HostEvidence, cite: Cite, host: string): Finding[] {
  const weight = isMeant(one, facts) ? "cause" : "note";
  return facts.room
    .filter(({ kind, mount }) => kind !== "folder" && mount === one.mount)
    .filter(({ kind, bytes }) => bytes >= one.size * MUCH && (kind !== "journal" || bytes > JOURNAL_KEPT))
    .sort((a, b) => b.bytes - a.bytes)
    .map((taker): Finding => {
      const { code, title, meaning } = CONSUMER_TEXTS[taker.kind as keyof typeof CONSUMER_TEXTS];
      const share = Math.round((taker.bytes / one.size) * 100);
      const id = cite(`${one.mount} on ${host}`, `${title(taker)}, ${share}% of it`);
      return { code, weight, title: `${title(taker)} on ${one.mount}`, meaning, evidence: [id] };
    });
}

function fullness(one: Filesystem, facts: HostEvidence, cite: Cite, host: string): Finding[] {
  const over = one.used_percent >= FULL;
  const memory = MEMORY.test(one.type);
  const used = one.size - one.free;
  const folders = facts.room.filter(
    ({ kind, mount, bytes }) => kind === "folder" && mount === one.mount && bytes >= used * MUCH,
  );
  // When only part was read, the largest folder of the whole is not known.
  const largest = folders.some(({ partial }) => partial) ? "largest of what was read" : "largest";
  const most = folders.map(({ name, bytes }) => `${name} ${inBytes(bytes)}`).join(", ");
  const evidence = [
    cite(`${one.mount} on ${host}`, inWords(one)),
    ...(most === "" ? [] : [cite(`host ${host}`, `The ${largest} on ${one.mount}: ${most}`)]),
  ];
  return [
    {
      code: over ? "disk_full" : "disk_nearly_full",
      weight: over ? "cause" : "note",
      title: `${one.mount} is ${one.used_percent}% full${most === "" ? "" : `; the ${largest} there: ${most}`}`,
      meaning: over
        ? `Writes there fail or soon will: databases, logs and sessions. Free space, or enlarge it.${memory ? " It is kept in memory." : ""}`
        : "There is still space; see what grows.",
      evidence,
    },
    ...takers(one, facts, cite, host),
  ];
}

/** Returns the finding for a filesystem that is reported only because the alert names it. */
function ofNamed(one: Filesystem, cite: Cite, host: string): Finding {
  const evidence = [cite(`${one.mount} on ${host}`, inWords(one))];
  return isImage(one)
    ? {
        code: "disk_always_full",
        weight: "note",
        title: `${one.mount} is an image (${one.type}), which is always full`,
        meaning: "It is read-only: exclude this kind from the alert.",
        evidence,
      }
    : {
        code: "disk_has_room",
        weight: "note",
        title: `${one.mount} has space now: ${inWords(one)}`,
        meaning: "It is below AWOOOI's limit for full; the alert may have another limit, or be over.",
        evidence,
      };
}

/** Returns the disks and named filesystems that are at least 90% full, those that the alert names first. Pure. */
export function fullOf({ filesystems, named }: HostFacts, about: readonly Filesystem[]): Filesystem[] {
  const on = named.flatMap(({ filesystem }) => filesystem ?? []);
  const all = new Map([...about, ...on, ...filesystems].map((one) => [one.mount, one]));
  return [...all.values()].filter((one) => one.used_percent >= NEARLY_FULL && !isImage(one));
}

/** Returns the finding for a path in the alert: its filesystem hangs, it does not exist, or nothing is mounted there. */
function ofPath(
  { path: given, answered, filesystem, unread }: NamedPath,
  cite: Cite,
  host: string,
): Finding[] {
  const path = inLine(given);
  const say = (said: Omit<Finding, "evidence">, fact: string): Finding[] => [
    { ...said, evidence: [cite(`${path} on ${host}`, fact)] },
  ];
  if (!answered) {
    const title = `The filesystem of ${path} does not answer`;
    const meaning = "Access to it hangs: usually its server, or the network to it, is down.";
    return say(
      { code: "disk_not_answering", weight: "cause", title, meaning },
      "df did not answer within 3 s",
    );
  }
  if (unread !== undefined) return [];
  const code = "disk_not_there";
  if (filesystem === null) {
    const meaning = "The alert names it, but this path does not exist on the host.";
    return say({ code, weight: "note", title: `${path} does not exist`, meaning }, "df reports no such path");
  }
  const instead = `it is a folder of ${filesystem.mount}, ${inWords(filesystem)}`;
  const title = `Nothing is mounted at ${path}: ${instead}`;
  const meaning = "The alert names it as a mount: see whether something should be mounted there.";
  return say({ code, weight: "note", title, meaning }, instead);
}

/** Finds full filesystems, what fills them, and the paths and filesystems that the alert names. */
export const ofDisks: FindingRule = (facts, cite, host) => {
  const { about, named } = facts;
  const full = fullOf(facts, about);
  // If something else that the alert names was not read, do not claim that the alert is only about an image.
  const blind = named.some(({ unread }) => unread !== undefined);
  const told = about
    .filter(({ mount }) => !full.some((one) => one.mount === mount))
    .filter((one) => !blind || !isImage(one));
  const elsewhere = named.filter(({ filesystem }) => !about.some(({ mount }) => mount === filesystem?.mount));
  return [
    ...elsewhere.flatMap((one) => ofPath(one, cite, host)),
    ...told.map((one) => ofNamed(one, cite, host)),
    ...full.flatMap((one) => fullness(one, facts, cite, host)),
  ];
};
