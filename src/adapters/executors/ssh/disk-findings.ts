import type { Finding } from "../../../contract/evidence.ts";
import type { Filesystem, HostFacts } from "./facts.ts";
import type { Cite, Judge } from "./findings.ts";
import { isImage } from "./mounts.ts";
import type { Consumer } from "./room.ts";
import { inBytes } from "./text.ts";

// Shipped alerts of node_exporter's mixin warn at about these.
const FULL = 95;
const NEARLY_FULL = 90;
// Of a full filesystem: what takes less does not explain it.
const MUCH = 0.1;
// What a journal is cut down to by the shipped rule, and a little more: with less there is nothing to remove.
const JOURNAL_KEPT = 600 * 1_048_576;
const MEMORY = /^(tmpfs|ramfs)$/;

const inWords = ({ used_percent, free, size, type }: Filesystem) =>
  `${used_percent}% used, ${inBytes(free)} of ${inBytes(size)} free${type === "" ? "" : ` (${type})`}`;

type Told = { code: string; title: (one: Consumer) => string; meaning: string };

const TOLD: Record<Exclude<Consumer["kind"], "folder">, Told> = {
  journal: {
    code: "journal_large",
    title: ({ bytes }) => `The systemd journal takes ${inBytes(bytes)}`,
    meaning:
      "Its oldest entries can go: journalctl --vacuum-size=500M. SystemMaxUse in journald.conf keeps it small.",
  },
  build_cache: {
    code: "docker_build_cache_large",
    title: ({ name, bytes }) => `${name} takes ${inBytes(bytes)}`,
    meaning: "Nothing that runs needs it: docker builder prune removes it, and the next builds take longer.",
  },
  unused_images: {
    code: "docker_images_unused",
    title: ({ bytes }) => `Images without a name, which no container uses, take about ${inBytes(bytes)}`,
    meaning: "docker image prune removes them. Layers that others share stay, so it may free less.",
  },
  container_log: {
    code: "container_log_large",
    title: ({ name, bytes }) => `The log of container ${name} takes ${inBytes(bytes)}`,
    meaning:
      "Emptying it loses its lines and nothing else (host.clear_docker_logs). `max-size` of its log driver keeps it small.",
  },
  deleted_file: {
    code: "deleted_files_open",
    title: ({ name, bytes }) => `${name} holds ${inBytes(bytes)} of files that were deleted`,
    meaning: "The room comes back when that process closes them: most often when it is restarted.",
  },
};

/** What takes much of a full filesystem, and what is safe to do about it. */
function takers(one: Filesystem, room: readonly Consumer[], cite: Cite, host: string): Finding[] {
  return room
    .filter(({ kind, mount }) => kind !== "folder" && mount === one.mount)
    .filter(({ kind, bytes }) => bytes >= one.size * MUCH && (kind !== "journal" || bytes > JOURNAL_KEPT))
    .sort((a, b) => b.bytes - a.bytes)
    .map((taker): Finding => {
      const { code, title, meaning } = TOLD[taker.kind as keyof typeof TOLD];
      const share = Math.round((taker.bytes / one.size) * 100);
      const id = cite(`${one.mount} on ${host}`, `${title(taker)}, ${share}% of it`);
      return { code, weight: "cause", title: `${title(taker)} on ${one.mount}`, meaning, evidence: [id] };
    });
}

function fullness(one: Filesystem, room: readonly Consumer[], cite: Cite, host: string): Finding[] {
  const over = one.used_percent >= FULL;
  const memory = MEMORY.test(one.type);
  const used = one.size - one.free;
  const folders = room.filter(
    ({ kind, mount, bytes }) => kind === "folder" && mount === one.mount && bytes >= used * MUCH,
  );
  const most = folders.map(({ name, bytes }) => `${name} ${inBytes(bytes)}`).join(", ");
  const evidence = [
    cite(`${one.mount} on ${host}`, inWords(one)),
    ...(most === "" ? [] : [cite(`host ${host}`, `The largest on ${one.mount}: ${most}`)]),
  ];
  return [
    {
      code: over ? "disk_full" : "disk_nearly_full",
      weight: over ? "cause" : "note",
      title: `${one.mount} is ${one.used_percent}% full${most === "" ? "" : `; the largest there: ${most}`}`,
      meaning: over
        ? `What writes there fails or will soon: databases, logs and sessions. Make room, or make it larger.${memory ? " It is kept in memory." : ""}`
        : "There is room yet; see what grows.",
      evidence,
    },
    ...takers(one, room, cite, host),
  ];
}

/** What is said of a filesystem only because the alert names it. */
function ofNamed(one: Filesystem, cite: Cite, host: string): Finding {
  const evidence = [cite(`${one.mount} on ${host}`, inWords(one))];
  return isImage(one)
    ? {
        code: "disk_always_full",
        weight: "note",
        title: `${one.mount} is an image of the kind ${one.type}, which is always full`,
        meaning: "Nothing can be written there by its nature: leave this kind out of the alert.",
        evidence,
      }
    : {
        code: "disk_has_room",
        weight: "note",
        title: `${one.mount} has room now: ${inWords(one)}`,
        meaning: "It is below what is taken for full here; the alert may have another limit, or be over.",
        evidence,
      };
}

/** The filesystems that are full or nearly so: disks, and what the alert names. Pure. */
export function fullOf({ filesystems }: HostFacts, about: readonly Filesystem[]): Filesystem[] {
  const all = new Map([...filesystems, ...about].map((one) => [one.mount, one]));
  return [...all.values()].filter((one) => one.used_percent >= NEARLY_FULL && !isImage(one));
}

/** Filesystems that are full, what takes their room, and what the alert itself names. */
export const ofDisks: Judge = (facts, cite, host) => {
  const { about, named, room } = facts;
  const full = fullOf(facts, about);
  const told = about.filter(({ mount }) => !full.some((one) => one.mount === mount));
  const silent = named.filter(({ answered }) => !answered);
  const absent = named.filter(({ answered, filesystem }) => answered && filesystem === null);
  return [
    ...silent.map(
      ({ path }): Finding => ({
        code: "disk_not_answering",
        weight: "cause",
        title: `The filesystem of ${path} does not answer`,
        meaning: "What touches it hangs: most often its server, or the network to it, is away.",
        evidence: [cite(`${path} on ${host}`, "df did not answer within 3 s")],
      }),
    ),
    ...told.map((one) => ofNamed(one, cite, host)),
    ...full.flatMap((one) => fullness(one, room, cite, host)),
    ...absent.map(
      ({ path }): Finding => ({
        code: "disk_not_there",
        weight: "note",
        title: `There is no ${path}`,
        meaning: "The alert names it, and nothing has this path on the host.",
        evidence: [cite(`${path} on ${host}`, "df finds no such path")],
      }),
    ),
  ];
};
