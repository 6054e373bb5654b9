import type { Finding } from "../../../contract/evidence.ts";
import type { Investigator } from "../../../investigation/index.ts";
import { formatDuration } from "../../../lib/duration.ts";
import { type Carrier, copiesOf } from "./background.ts";
import { tail } from "./log-file.ts";
import { ageOf, configured, observeProcess, type ProcessObservation } from "./observe-process.ts";
import type { Probed } from "./probe.ts";
import type { Supervised } from "./supervised.ts";

// A process that has been up for less may be between two crashes.
const LATELY_SECONDS = 60;

// Enough for the end of a stack trace.
const LOG_LINES = 20;
const LOG_CHARACTERS = 2_000;

// Findings that cite the end of the log as evidence.
const ENDED = ["process_not_running", "process_in_background"];

const OTHERS = "other processes of ";
const LOG = "log of ";

type FindingText = Omit<Finding, "evidence">;

/** What was observed, with the copies that live outside the record. */
type ProcessEvidence = ProcessObservation & { copies: Carrier[] };

/** Returns the finding about whether the process runs, is stopped, suspended or just started; null: none. */
function ofProcess(one: Supervised, { live, copies }: ProcessEvidence, now: Date): FindingText | null {
  const { name } = one.config;
  const stopped = one.stopped();
  if (live === undefined && stopped !== undefined)
    return {
      code: "process_stopped",
      weight: "cause",
      title: `${name} was stopped on purpose ${stopped}`,
      meaning: `A person stopped it: awoooi processes start ${name} starts it again.`,
    };
  // Then `ofCopies` reports the copies that run.
  if (live === undefined && copies.length > 0) return null;
  if (live === undefined)
    return {
      code: "process_not_running",
      weight: "cause",
      title: `${name} is not running`,
      meaning: `It has ended, or was never started: the end of its log, ${one.logFile}, says why.`,
    };
  if (live.suspended)
    return {
      code: "process_suspended",
      weight: "cause",
      title: `${name} (pid ${live.pid}) is suspended`,
      meaning: "A signal (SIGSTOP, SIGTSTP) or a debugger suspended it: it does nothing until it is resumed.",
    };
  const age = ageOf(live, now);
  return age >= LATELY_SECONDS * 1000
    ? null
    : {
        code: "restarted_lately",
        weight: "symptom",
        title: `${name} was started ${formatDuration(age)} ago`,
        meaning: "It is too early to know whether it stays up.",
      };
}

const pidsOf = (copies: readonly Carrier[]) => copies.map(({ pid }) => pid).join(", ");

/** Returns the finding that copies of the process live outside its record. */
const ofCopies = (name: string, { copies }: ProcessEvidence): FindingText => ({
  code: "process_in_background",
  weight: "cause",
  title: `${name} runs in the background: pid ${pidsOf(copies)} is not supervised`,
  meaning: `A program that moves itself into the background cannot be watched or restarted, and is not started again: run it in the foreground (nginx -g "daemon off;", redis daemonize no, gunicorn without -D), and end these processes with awoooi processes stop ${name}.`,
});

/** Returns the finding about the probe's answer; null: none. */
function ofProbe(
  name: string,
  { ok, message }: Probed,
  { live, copies }: ProcessEvidence,
): FindingText | null {
  // The process does not run, so another program answers.
  if (live === undefined)
    return ok && copies.length === 0
      ? {
          code: "address_taken",
          weight: "cause",
          title: `Another program answers where ${name} should: ${message}`,
          meaning:
            "It uses the address, so a new process would end again: stop it, or give one of them another port.",
        }
      : null;
  return ok
    ? {
        code: "process_healthy",
        weight: "note",
        title: `${name} looks healthy now: its probe ${message}`,
        meaning: "It runs and its probe gets the configured answer: the fault is over or elsewhere.",
      }
    : {
        code: "probe_failing",
        weight: "cause",
        title: `The probe of ${name} fails: ${message}`,
        meaning: "The probe gets no answer, or not the configured status.",
      };
}

/** Reads the last lines of the log of a process that does not run, under its file name; empty when there are none. */
async function lastWords({ logFile }: Supervised): Promise<string[]> {
  const said = await tail(logFile, { most: LOG_CHARACTERS }).catch(() => "");
  const lines = said.trim().split("\n").slice(-LOG_LINES);
  return said.trim() === "" ? [] : [`${logFile} ends with\n${lines.join("\n")}`];
}

/** Says what is not known because the probe is missing or could not be asked. */
function missingOf(name: string, probed: Probed | undefined): string[] {
  if (probed === undefined) return [`probe of ${name}: none is configured, so whether it serves is unknown`];
  return probed.asked ? [] : [`probe of ${name}: ${probed.message}`];
}

type EvidencePart = { id: string; subject: string; text: string; finding: FindingText | null };

/** Returns what was read of a process, each part with its finding. */
async function partsOf(one: Supervised, alone: ProcessObservation, now: Date): Promise<EvidencePart[]> {
  const { name } = one.config;
  const seen = { ...alone, copies: await copiesOf(one) };
  const { live, text, probed, copies } = seen;
  const words = live === undefined && one.stopped() === undefined ? await lastWords(one) : [];
  const parts = [
    { subject: `process ${name}`, text, finding: ofProcess(one, seen, now) },
    ...(copies.length === 0
      ? []
      : [{ subject: OTHERS + name, text: `pid ${pidsOf(copies)}`, finding: ofCopies(name, seen) }]),
    ...(probed?.asked
      ? [{ subject: `probe of ${name}`, text: probed.message, finding: ofProbe(name, probed, seen) }]
      : []),
    ...words.map((said) => ({ subject: LOG + name, text: said, finding: null })),
  ];
  return parts.map((part, index) => ({ ...part, id: `E${index + 1}` }));
}

/** Creates the investigator of configured processes: whether one lives, and what its probe answers. */
export function createInvestigator(processes: ReadonlyMap<string, Supervised>): Investigator {
  return {
    id: "local-process",
    investigates: ({ kind, name }) => kind === "process" && processes.has(name),
    async investigate(target, now) {
      const { name } = target;
      const one = configured(processes, name);
      const seen = await observeProcess(one, now);
      const parts = await partsOf(one, seen, now);
      const at = now.toISOString();
      const log = parts.filter(({ subject }) => subject === LOG + name).map(({ id }) => id);
      const findings = parts.flatMap(({ id, finding }): Finding[] => {
        if (finding === null) return [];
        return [{ ...finding, evidence: [id, ...(ENDED.includes(finding.code) ? log : [])] }];
      });
      return {
        at,
        target,
        evidence: parts.map(({ id, subject, text }) => ({ id, source: "local-process", at, subject, text })),
        findings,
        missing: missingOf(name, seen.probed),
      };
    },
  };
}
