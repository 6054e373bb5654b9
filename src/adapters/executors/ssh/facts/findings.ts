import { byWeight, type EvidenceItem, type Finding, saysWell } from "../../../../contract/evidence.ts";
import { inBytes } from "../text.ts";
import { daysLeft } from "./certificates.ts";
import { ofDisks } from "./disk-findings.ts";
import type { HostFacts } from "./facts.ts";
import { type Filesystem, FULL } from "./filesystems.ts";
import type { Cite, FindingRule, HostEvidence } from "./finding-rule.ts";

// Thresholds: about where the alerts of node_exporter's mixin warn.
const LOW_MEMORY = 0.05;
const HIGH_LOAD = 2;
const RUNAWAY_CPU = 90;
const RUNAWAY_AGE = 600;
const MANY_ZOMBIES = 10;
const RECENT_SECONDS = 2 * 3600;
const CERTIFICATE_DAYS = 14;

const inodesFull: FindingRule = ({ inodes }, cite, host) =>
  inodes
    .filter((one: Filesystem) => one.used_percent >= FULL)
    .map(({ mount, used_percent, free }) => ({
      code: "inodes_full",
      weight: "cause",
      title: `${mount} has ${used_percent}% of its inodes in use`,
      meaning: "No new file can be created there although there is space: look for very many small files.",
      evidence: [cite(`${mount} on ${host}`, `${used_percent}% of inodes used, ${free} free`)],
    }));

const readOnly: FindingRule = ({ read_only }, cite, host) =>
  read_only.map((mount) => ({
    code: "filesystem_read_only",
    weight: "cause",
    title: `${mount} is mounted read-only`,
    meaning: "Writes fail. Linux does this when a disk fails: look at the kernel's log first.",
    evidence: [cite(`${mount} on ${host}`, "mounted read-only")],
  }));

const memory: FindingRule = ({ memory: now, processes }, cite, host) => {
  if (now === null) return [];
  const { total, available, swap_total, swap_free } = now;
  const swapped = swap_total - swap_free;
  const seen = () => {
    const top = [...processes].sort((a, b) => b.memory - a.memory).slice(0, 3);
    const most = top.map((one) => `${one.name} (${one.pid}) ${inBytes(one.memory)}`).join(", ");
    const swap = swap_total === 0 ? "no swap" : `${inBytes(swapped)} of ${inBytes(swap_total)} swap used`;
    return cite(
      `host ${host}`,
      `${inBytes(available)} of ${inBytes(total)} memory available, ${swap}; most: ${most}`,
    );
  };
  const found: Finding[] = [];
  if (available < total * LOW_MEMORY)
    found.push({
      code: "memory_exhausted",
      weight: "cause",
      title: `Only ${inBytes(available)} of memory are available`,
      meaning: "The kernel will soon kill processes, or everything waits for swap. See what uses the most.",
      evidence: [seen()],
    });
  else if (swap_total > 0 && swapped > swap_total * 0.8)
    found.push({
      code: "swap_heavy",
      weight: "symptom",
      title: `${inBytes(swapped)} of ${inBytes(swap_total)} swap are in use`,
      meaning: "Memory was short: what was swapped out is slow when it is needed again.",
      evidence: [seen()],
    });
  return found;
};

const oomKill: FindingRule = ({ out_of_memory, uptime }, cite, host) => {
  const recent = out_of_memory.filter(
    ({ at }) => at === null || uptime === null || uptime - at < RECENT_SECONDS,
  );
  const killed = recent
    .filter(({ text }) => /killed process|oom-kill|out of memory: kill/i.test(text))
    .slice(-3);
  if (killed.length === 0) return [];
  const names = killed.flatMap(({ text }) => /killed process \d+ \(([^)]{1,60})\)/i.exec(text)?.[1] ?? []);
  return [
    {
      code: "oom_kill",
      weight: "cause",
      title: `The kernel killed ${[...new Set(names)].join(", ") || "a process"} because memory ran out`,
      meaning:
        "The host's memory or a container's limit was exhausted. A restart helps until it grows again.",
      evidence: killed.map(({ text }) => cite(`kernel of ${host}`, text)),
    },
  ];
};

const load: FindingRule = ({ load: loads, cores, processes }, cite, host) => {
  if (loads === null || cores === null || loads[1] < cores * HIGH_LOAD) return [];
  const waiting = processes.filter(({ state }) => state.startsWith("D")).length;
  const id = cite(
    `host ${host}`,
    `load ${loads.join(" ")} on ${cores} cores, ${waiting} processes wait for a disk`,
  );
  return [
    {
      code: "load_high",
      weight: "symptom",
      title: `The load is ${loads[1]} on ${cores} cores`,
      meaning:
        waiting >= cores
          ? "Processes wait for a disk or a network filesystem rather than for a core."
          : "More processes want to run than there are cores: everything is slow.",
      evidence: [id],
    },
  ];
};

const processes: FindingRule = ({ processes: all }, cite, host) => {
  const found: Finding[] = all
    .filter(({ cpu, age }) => cpu >= RUNAWAY_CPU && age >= RUNAWAY_AGE)
    .sort((a, b) => b.cpu - a.cpu)
    .slice(0, 3)
    .map(({ pid, name, cpu, age }) => ({
      code: "runaway_process",
      weight: "symptom",
      title: `${name} (${pid}) has used ${Math.round(cpu)}% of a core since its start`,
      meaning: "It may be stuck in a loop, or busy. Look at what it does before you restart it.",
      evidence: [
        cite(`process ${pid} on ${host}`, `${name}: ${cpu}% of a core for ${Math.round(age / 60)} minutes`),
      ],
    }));
  const zombies = all.filter(({ state }) => state.startsWith("Z"));
  if (zombies.length < MANY_ZOMBIES) return found;
  const parents = Map.groupBy(zombies, ({ parent }) => parent);
  const [worst = 0] = [...parents].sort(([, a], [, b]) => b.length - a.length)[0] ?? [];
  const name = all.find(({ pid }) => pid === worst)?.name ?? "unknown";
  const id = cite(
    `host ${host}`,
    `${zombies.length} zombies, ${parents.get(worst)?.length} of ${name} (${worst})`,
  );
  const meaning =
    "Their parent does not reap its ended children. They use no memory, but process ids run out.";
  return [
    ...found,
    {
      code: "zombie_processes",
      weight: "note",
      title: `${zombies.length} zombies, most of ${name} (${worst})`,
      meaning,
      evidence: [id],
    },
  ];
};

const units: FindingRule = ({ failed_units }, cite, host) =>
  failed_units.slice(0, 20).map((unit) => ({
    code: "unit_failed",
    weight: "cause",
    title: `${unit} has failed`,
    meaning: `systemd gave up on it, or it ended with an error. Its journal says why: journalctl -u ${unit}.`,
    evidence: [cite(`unit ${unit} on ${host}`, "failed")],
  }));

const containers: FindingRule = ({ containers: all }, cite, host) =>
  all.flatMap(({ name, state, status, image }): Finding[] => {
    const id = () => cite(`container ${name} on ${host}`, `${state}: ${status} (${image})`);
    const code = /\((\d+)\)/.exec(status)?.[1];
    if (state === "restarting")
      return [
        {
          code: "container_restarting",
          weight: "cause",
          title: `Container ${name} ends again and again${code === undefined ? "" : `, with exit code ${code}`}`,
          meaning: "It ends right after its start: its log says why. A restart alone will not help.",
          evidence: [id()],
        },
      ];
    // Exit code 0 is success, 143 is SIGTERM.
    if (state === "exited" && code !== "0" && code !== "143" && isRecent(status))
      return [
        {
          code: "container_exited",
          weight: "cause",
          title: `Container ${name} has ended with exit code ${code ?? "unknown"}`,
          meaning:
            code === "137"
              ? "It was killed: manually, or because it reached its memory limit."
              : "It ended with an error and is not restarted.",
          evidence: [id()],
        },
      ];
    if (/\(unhealthy\)/.test(status))
      return [
        {
          code: "container_unhealthy",
          weight: "cause",
          title: `Container ${name} runs but is not healthy`,
          meaning: "Its own health check fails.",
          evidence: [id()],
        },
      ];
    return [];
  });

/** Returns whether a container ended less than two days ago, before docker counts in days: an older end is no news. */
function isRecent(status: string): boolean {
  return !/\b(\d+ (days|weeks|months|years)|about a (month|year)) ago/i.test(status);
}

const certificates: FindingRule = ({ certificates: all, clock }, cite, host) => {
  const now = new Date((clock ?? Date.now() / 1000) * 1000);
  return all.flatMap((one): Finding[] => {
    const days = daysLeft(one, now);
    if (days >= CERTIFICATE_DAYS) return [];
    const over = days < 0;
    return [
      {
        code: over ? "certificate_expired" : "certificate_expiring",
        weight: over ? "cause" : "symptom",
        title: `The certificate of ${one.subject} ${over ? `expired ${-days} days ago` : `is valid for ${days} more days`}`,
        meaning: over ? "Clients refuse to connect." : "It was not renewed: see why before it expires.",
        evidence: [cite(`certificate on ${host}`, `${one.subject}: valid until ${one.until}`)],
      },
    ];
  });
};

const clock: FindingRule = ({ clock_synchronised }, cite, host) =>
  clock_synchronised === false
    ? [
        {
          code: "clock_unsynchronised",
          weight: "note",
          title: "Its clock is not synchronised",
          meaning: "A drifting clock breaks tokens, certificates and logs.",
          evidence: [cite(`host ${host}`, "timedatectl: NTPSynchronized=no")],
        },
      ]
    : [];

const RULES: readonly FindingRule[] = [
  readOnly,
  ofDisks,
  inodesFull,
  memory,
  oomKill,
  units,
  containers,
  certificates,
  load,
  processes,
  clock,
];

/** Collects evidence: `cite` adds a fact, or finds the same one again, and returns its id. */
export function evidenceOf(source: string, at: string): { cite: Cite; items: EvidenceItem[] } {
  const items: EvidenceItem[] = [];
  const cite: Cite = (subject, text) => {
    const same = items.find((one) => one.subject === subject && one.text === text);
    if (same !== undefined) return same.id;
    const id = `E${items.length + 1}`;
    items.push({ id, source, at, subject, text });
    return id;
  };
  return { cite, items };
}

/** Summarises load, memory and the fullest disk, for a host with nothing wrong. Pure. */
function inNumbers({ load, cores, memory: now, filesystems }: HostFacts): string {
  const fullest = [...filesystems].sort((a, b) => b.used_percent - a.used_percent)[0];
  return [
    ...(load === null ? [] : [`load ${load[0]} on ${cores ?? "?"} cores`]),
    ...(now === null ? [] : [`${inBytes(now.available)} of ${inBytes(now.total)} memory available`]),
    ...(fullest === undefined ? [] : [`the fullest disk is ${fullest.mount} with ${fullest.used_percent}%`]),
  ].join(", ");
}

/** Returns `host_healthy` when everything was read and no finding reports a problem. */
function well(facts: HostEvidence, found: readonly Finding[], cite: Cite, host: string): Finding[] {
  // A full image is a fault of the alert, not of the host.
  const untold = found.every((one) => saysWell(one) || one.code === "disk_always_full");
  if (facts.unread.length > 0 || !untold) return [];
  const numbers = inNumbers(facts);
  return [
    {
      code: "host_healthy",
      weight: "note",
      title: `${host} looks healthy now: ${numbers}`,
      meaning:
        "No fault of its disks, memory, units, containers or certificates was found: the fault is over or elsewhere.",
      evidence: [cite(`host ${host}`, numbers)],
    },
  ];
}

/** Derives the findings from a host's facts, sorted by weight; `host_healthy` comes first of the notes. Pure. */
export function findingsOf(
  facts: HostFacts,
  cite: Cite,
  host: string,
  more: Partial<Pick<HostEvidence, "about" | "room">> = {},
): Finding[] {
  const evidence: HostEvidence = { ...facts, about: more.about ?? [], room: more.room ?? [] };
  const found = RULES.flatMap((rule) => rule(evidence, cite, host));
  const all = [...well(evidence, found, cite, host), ...found];
  return all.sort(byWeight);
}
