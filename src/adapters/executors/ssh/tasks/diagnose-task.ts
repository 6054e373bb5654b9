import type { Operation } from "../../../../operation/index.ts";
import type { Host } from "../connection/host.ts";
import type { HostFacts } from "../facts/facts.ts";
import { evidenceOf, findingsOf } from "../facts/findings.ts";
import { inBytes, shown } from "../text.ts";
import { readFacts } from "./diagnose-script.ts";
import { onHost, type TargetHealth, type Task } from "./task.ts";

type Diagnose = Extract<Operation, { kind: "host.diagnose" }>;

/** Describes a host's facts for people. Pure. */
export function inWords(facts: HostFacts): string {
  const { memory, load, cores, filesystems, processes, failed_units, containers } = facts;
  const top = (by: "cpu" | "memory") => [...processes].sort((a, b) => b[by] - a[by]).slice(0, 5);
  const lines = [
    facts.kernel,
    load === null ? "" : `load: ${load.join(" ")} on ${cores ?? "?"} cores`,
    memory === null
      ? ""
      : `memory: ${inBytes(memory.available)} of ${inBytes(memory.total)} available, swap: ` +
        `${inBytes(memory.swap_total - memory.swap_free)} of ${inBytes(memory.swap_total)} used`,
    ...filesystems.map((one) => `disk ${one.mount}: ${one.used_percent}% used, ${inBytes(one.free)} free`),
    `processes: ${processes.length}`,
    ...top("cpu").map((one) => `  ${one.cpu}% ${one.name} (${one.pid})`),
    ...top("memory").map((one) => `  ${inBytes(one.memory)} ${one.name} (${one.pid})`),
    failed_units.length === 0 ? "" : `failed units: ${failed_units.join(", ")}`,
    ...containers.map((one) => `container ${one.name}: ${one.status}`),
    facts.unread.length === 0 ? "" : `could not be read: ${facts.unread.join(", ")}`,
  ];
  return shown(lines.filter(Boolean).join("\n"), 20_000);
}

/** Observes a host: unhealthy with a finding of weight `cause`; null when there is none but something was not read. */
export async function observeHost(host: Host, now: Date): Promise<TargetHealth> {
  const facts = await readFacts(host);
  if (!facts.ok) return { healthy: null, facts: [{ name: "host", passed: false, message: facts.message }] };
  const { cite } = evidenceOf("ssh", now.toISOString());
  const found = findingsOf(facts.value, cite, host.name).filter(({ weight }) => weight !== "note");
  const seen = found.map(({ code, title, weight }) => ({
    name: code,
    passed: weight !== "cause",
    message: title,
  }));
  const reached = { name: "host", passed: true, message: `${facts.value.kernel}, reached` };
  const unread = facts.value.unread.map((name) => ({ name, passed: false, message: "could not be read" }));
  const bad = seen.some((fact) => !fact.passed);
  return { healthy: bad ? false : unread.length === 0 || null, facts: [reached, ...seen, ...unread] };
}

/** The task that reads processes, disk, memory and load at once. Changes nothing. */
export function diagnoseTask(host: Host, operation: Diagnose): Task {
  return {
    undo: "it only reads",
    resolve: async () => onHost(host, operation),
    dryRun: async () => ({ checks: [] }),
    snapshot: async () => ({}),
    async act(signal) {
      const facts = await readFacts(host, { signal });
      return facts.ok
        ? { ok: true, output: inWords(facts.value) }
        : { ok: false, error: facts.message, sent: true };
    },
    effect: async () => "not_done",
    observe: (now) => observeHost(host, now),
  };
}
