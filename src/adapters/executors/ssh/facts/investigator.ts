import { byWeight, type Finding, type Investigation } from "../../../../contract/evidence.ts";
import type { OperationTarget } from "../../../../contract/incident.ts";
import type { Investigator } from "../../../../investigation/index.ts";
import { formatDuration } from "../../../../lib/duration.ts";
import { containerName, unitName } from "../../../../operation/index.ts";
import type { Argv, CommandOutput, Host } from "../connection/host.ts";
import type { Hosts } from "../connection/hosts.ts";
import { hostOf } from "../executor.ts";
import { TARGETS } from "../observer.ts";
import { readFacts } from "../tasks/diagnose-script.ts";
import { inWords } from "../tasks/diagnose-task.ts";
import { invalidNameReason } from "../tasks/task.ts";
import { isAllowed } from "../tasks/unit-task.ts";
import { shown } from "../text.ts";
import { type ContainerState, inState as containerState, inspect, isWell } from "./containers.ts";
import { fullOf } from "./disk-findings.ts";
import { readDiskUsage } from "./disk-usage.ts";
import type { Cite } from "./finding-rule.ts";
import { evidenceOf, findingsOf } from "./findings.ts";
import { forNamedPaths, type NamedFilesystems, namedFilesystems, namedIn } from "./mounts.ts";
import { inState, runs, type UnitState, unitState } from "./units.ts";

type PartialFindings = { findings: Finding[]; missing: string[] };

const LINES = "40";
// A unit or container that its supervisor restarted within this time may end again.
const LATELY_SECONDS = 3_600;

async function ofHost(
  host: Host,
  named: NamedFilesystems,
  cite: Cite,
  signal: AbortSignal,
): Promise<PartialFindings> {
  const read = await readFacts(host, { signal, paths: named.paths });
  if (!read.ok) return unreached(host, read.message, cite);
  const facts = forNamedPaths(read.value, named);
  cite(`host ${host.name}`, shown(inWords(facts), 4_000));
  const about = namedFilesystems(facts, named);
  const full = fullOf(facts, about);
  const room =
    full.length === 0 ? { consumers: [], missing: [] } : await readDiskUsage({ host, facts, full, signal });
  const unread = facts.unread.map((name) => `${name} of ${host.name} could not be read`);
  return {
    findings: findingsOf(facts, cite, host.name, { about, room: room.consumers }),
    missing: [...unread, ...room.missing],
  };
}

/** Returns the finding for a host that cannot be reached. */
function unreached(host: Host, message: string, cite: Cite): PartialFindings {
  const changed = /HAS CHANGED|is revoked/.test(message);
  const unknown = /is not known/.test(message) && /host key/.test(message);
  const refused = /permission denied/.test(message);
  const id = cite(`host ${host.name}`, `not reached over SSH: ${message}`);
  const code = changed
    ? "host_key_changed"
    : unknown
      ? "host_key_unknown"
      : refused
        ? "host_refuses_login"
        : "host_unreachable";
  const meanings: Record<string, string> = {
    host_key_changed:
      "It may be another machine, or the connection may be intercepted: AWOOOI does nothing there.",
    host_key_unknown: "Its key is in none of the files of ssh.known_hosts, so it was not read.",
    host_refuses_login: "It is up but refuses the login: see the account, its key and sshd's log.",
    host_unreachable: "It is down, or there is no route to it.",
  };
  const weight = changed || code === "host_unreachable" ? "cause" : "note";
  const finding: Finding = {
    code,
    weight,
    title: `${host.name} cannot be reached over SSH`,
    meaning: meanings[code] ?? "",
    evidence: [id],
  };
  return { findings: [finding], missing: [`${host.name} was not reached: ${message}`] };
}

/** Reads a log, if the configuration allows acting on its unit or container. */
async function logOf(host: Host, argv: Argv, allowed: boolean, signal: AbortSignal): Promise<CommandOutput> {
  return allowed
    ? host.look(argv, { signal })
    : { ok: false, message: "was not read: ssh.hosts does not allow it" };
}

/** Returns the finding for a running unit: systemd restarted it lately, or it looks well. */
function running(unit: string, state: UnitState, id: string): Finding {
  const lately = state.restarts > 0 && state.up !== null && state.up < LATELY_SECONDS * 1e6;
  return lately
    ? {
        code: "restarted_lately",
        weight: "symptom",
        title: `${unit} was restarted by systemd ${formatDuration(Number(state.up) / 1e3)} ago`,
        meaning: "It had ended unexpectedly: its journal says why.",
        evidence: [id],
      }
    : {
        code: "unit_running",
        weight: "note",
        title: `${unit} looks healthy now: it is ${inState(state)}`,
        meaning: "systemd reports it as running: the fault is over or elsewhere.",
        evidence: [id],
      };
}

async function ofUnit(host: Host, unit: string, cite: Cite, signal: AbortSignal): Promise<PartialFindings> {
  const gap = invalidNameReason(unit, unitName);
  if (gap !== null) return { findings: [], missing: [`unit ${gap}`] };
  const journal = ["journalctl", "--no-pager", "-o", "short-iso", "-n", LINES, "-u", unit] as const;
  const [state, log] = await Promise.all([
    unitState(host, unit),
    logOf(host, host.privileged(journal), isAllowed(host.config.units, unit), signal),
  ]);
  const missing = log.ok ? [] : [`journal of ${unit}: ${log.message}`];
  const lines =
    log.ok && log.stdout.trim() !== ""
      ? [cite(`journal of ${unit} on ${host.name}`, shown(log.stdout, 4_000))]
      : [];
  if (!state.ok) return { findings: [], missing: [...missing, `unit ${unit}: ${state.message}`] };
  const { active, result, load } = state.value;
  const id = cite(`unit ${unit} on ${host.name}`, load === "loaded" ? inState(state.value) : load);
  if (runs(state.value)) return { findings: [running(unit, state.value, id)], missing };
  const why =
    result === "oom-kill" ? "The kernel killed it because memory ran out." : "Its journal says why.";
  const finding: Finding = {
    code: load === "not-found" ? "unit_not_found" : active === "failed" ? "unit_failed" : "unit_not_running",
    weight: "cause",
    title: `${unit} is ${load === "not-found" ? "not installed" : inState(state.value)}`,
    meaning: why,
    evidence: [id, ...lines],
  };
  return { findings: [finding], missing };
}

/** Returns the finding for a running container: it was restarted lately, or looks well. */
function runningContainer(one: ContainerState, now: Date, id: string): Finding {
  const up = now.getTime() - Date.parse(one.started_at);
  if (one.restarts > 0 && up < LATELY_SECONDS * 1e3)
    return {
      code: "restarted_lately",
      weight: "symptom",
      title: `Container ${one.name} was restarted ${formatDuration(up)} ago`,
      meaning: "It had ended unexpectedly: its log says why.",
      evidence: [id],
    };
  return {
    code: one.health === "healthy" ? "container_healthy" : "container_running",
    weight: "note",
    title: `Container ${one.name} looks healthy now: it is ${containerState(one)}`,
    meaning: "It runs, and its health check, if any, passes: the fault is over or elsewhere.",
    evidence: [id],
  };
}

async function ofContainer(
  host: Host,
  name: string,
  now: Date,
  cite: Cite,
  signal: AbortSignal,
): Promise<PartialFindings> {
  const gap = invalidNameReason(name, containerName);
  if (gap !== null) return { findings: [], missing: [`container ${gap}`] };
  const logs = host.runtime("logs", "--tail", LINES, "--", name);
  const allowed = host.config.containers?.includes(name) !== false;
  const [state, log] = await Promise.all([
    inspect(host, [name]),
    logOf(host, ["sh", "-c", 'exec "$@" 2>&1', "sh", ...logs], allowed, signal),
  ]);
  const missing = log.ok ? [] : [`log of ${name}: ${log.message}`];
  const lines =
    log.ok && log.stdout.trim() !== ""
      ? [cite(`log of ${name} on ${host.name}`, shown(log.stdout, 4_000))]
      : [];
  if (!state.ok) return { findings: [], missing: [...missing, `container ${name}: ${state.message}`] };
  const findings = state.value.map((one): Finding => {
    const id = cite(`container ${one.name} on ${host.name}`, containerState(one));
    if (isWell(one)) return runningContainer(one, now, id);
    const code = one.out_of_memory
      ? "container_out_of_memory"
      : one.status === "restarting"
        ? "container_restarting"
        : one.running
          ? "container_unhealthy"
          : "container_exited";
    return {
      code,
      weight: "cause",
      title: `Container ${one.name} is ${containerState(one)}`,
      meaning: "Its log says why.",
      evidence: [id, ...lines],
    };
  });
  return { findings, missing };
}

function ofTarget(
  host: Host,
  { kind, name }: OperationTarget,
  now: Date,
  cite: Cite,
  signal: AbortSignal,
): Promise<PartialFindings> {
  if (kind === "unit") return ofUnit(host, name, cite, signal);
  if (kind === "container") return ofContainer(host, name, now, cite, signal);
  return Promise.resolve({ findings: [], missing: [] });
}

/** Removes findings with the same code for the same subject, keeping the first (the target's own); sorts by weight. */
function merged(findings: readonly Finding[]): Finding[] {
  const seen = new Set<string>();
  const once = findings.filter(({ code, title }) => {
    const key = `${code} ${/[\w@-]+\.service|Container \S+/.exec(title)?.[0] ?? title}`;
    return !seen.has(key) && seen.add(key);
  });
  return once.sort(byWeight);
}

/** Creates the investigator of hosts; for a unit or container it also reads its state and the last lines of its log. */
export function createInvestigator(hosts: Hosts): Investigator {
  return {
    id: "ssh",
    tool: "ssh_diagnose",
    investigates: (target) => TARGETS.includes(target.kind) && hosts.find(hostOf(target)) !== undefined,
    async investigate(target, now, signal, labels = []): Promise<Investigation> {
      const host = hosts.find(hostOf(target));
      const at = now.toISOString();
      if (host === undefined)
        return { at, target: null, evidence: [], findings: [], missing: ["the host is not configured"] };
      const { cite, items } = evidenceOf("ssh", at);
      const parts = await Promise.all([
        ofTarget(host, target, now, cite, signal),
        ofHost(host, namedIn(labels), cite, signal),
      ]);
      return {
        at,
        target: target.host === undefined ? { ...target, name: host.name } : { ...target, host: host.name },
        evidence: items,
        findings: merged(parts.flatMap((one) => one.findings)),
        missing: [...new Set(parts.flatMap((one) => one.missing))],
      };
    },
  };
}
