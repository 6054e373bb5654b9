import type { Finding } from "../../../contract/evidence.ts";
import type { Investigator } from "../../../investigation/index.ts";
import { inTime } from "../../../lib/duration.ts";
import { type Carrier, copiesOf } from "./background.ts";
import { tail } from "./log-file.ts";
import { ageOf, configured, type Look, look } from "./look.ts";
import type { Probed } from "./probe.ts";
import type { Supervised } from "./supervised.ts";

// What has been up for less may be between two crashes.
const LATELY_SECONDS = 60;

// Enough for the end of a stack trace.
const LOG_LINES = 20;
const LOG_CHARACTERS = 2_000;

// What the end of its log tells of.
const ENDED = ["process_not_running", "process_in_background"];

const OTHERS = "other processes of ";
const LOG = "log of ";

type Said = Omit<Finding, "evidence">;

/** With what was started for it and lives beside. */
type Seen = Look & { copies: Carrier[] };

/** What it says of a process that it runs, does not, or has only just begun to; null: nothing. */
function ofProcess(one: Supervised, { live, copies }: Seen, now: Date): Said | null {
  const { name } = one.config;
  const stopped = one.stopped();
  if (live === undefined && stopped !== undefined)
    return {
      code: "process_stopped",
      weight: "cause",
      title: `${name} was stopped on purpose ${stopped}`,
      meaning: `Somebody stopped it on purpose: awoooi processes start ${name} starts it again.`,
    };
  // It is told of what does run.
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
      meaning: "A signal (SIGSTOP, SIGTSTP) or a debugger holds it: it does nothing until it is continued.",
    };
  const age = ageOf(live, now);
  return age >= LATELY_SECONDS * 1000
    ? null
    : {
        code: "restarted_lately",
        weight: "symptom",
        title: `${name} was started ${inTime(age)} ago`,
        meaning: "Whether it stays up cannot be told yet.",
      };
}

const pidsOf = (copies: readonly Carrier[]) => copies.map(({ pid }) => pid).join(", ");

/** What it says of a process that others live that were started for it. */
const ofCopies = (name: string, { copies }: Seen): Said => ({
  code: "process_in_background",
  weight: "cause",
  title: `${name} has put itself into the background: pid ${pidsOf(copies)} lives outside of its record`,
  meaning: `A program that puts itself into the background cannot be watched or restarted, and is not started once more: have it run in the foreground (nginx -g "daemon off;", redis daemonize no, gunicorn without -D), and end what is left with awoooi processes stop ${name}.`,
});

/** What the answer of its probe says; null: nothing. */
function ofProbe(name: string, { ok, message }: Probed, { live, copies }: Seen): Said | null {
  // Whoever answers there, it is not the process.
  if (live === undefined)
    return ok && copies.length === 0
      ? {
          code: "address_taken",
          weight: "cause",
          title: `Another program answers where ${name} should: ${message}`,
          meaning:
            "It holds the address, so what is started there ends again: stop it, or give one of them another port.",
        }
      : null;
  return ok
    ? {
        code: "process_healthy",
        weight: "note",
        title: `${name} looks well now: its probe ${message}`,
        meaning: "It runs and its probe is answered as configured: the trouble is over, or elsewhere.",
      }
    : {
        code: "probe_failing",
        weight: "cause",
        title: `The probe of ${name} fails: ${message}`,
        meaning: "It does not serve as its configuration says that it should.",
      };
}

/** The last lines that one which does not run has printed, with the file that has the rest; none: it has printed nothing. */
async function lastWords({ logFile }: Supervised): Promise<string[]> {
  const said = await tail(logFile, { most: LOG_CHARACTERS }).catch(() => "");
  const lines = said.trim().split("\n").slice(-LOG_LINES);
  return said.trim() === "" ? [] : [`${logFile} ends with\n${lines.join("\n")}`];
}

/** What of its probe is not known. */
function missingOf(name: string, probed: Probed | undefined): string[] {
  if (probed === undefined)
    return [`probe of ${name}: none is configured, so whether it serves is not known`];
  return probed.asked ? [] : [`probe of ${name}: ${probed.message}`];
}

type Part = { id: string; subject: string; text: string; finding: Said | null };

/** All that was read of a process, each with what it means. */
async function partsOf(one: Supervised, alone: Look, now: Date): Promise<Part[]> {
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

/** Reads whether a configured process lives and what its probe answers, and says what that means. */
export function createInvestigator(processes: ReadonlyMap<string, Supervised>): Investigator {
  return {
    id: "local-process",
    investigates: ({ kind, name }) => kind === "process" && processes.has(name),
    async investigate(target, now) {
      const { name } = target;
      const one = configured(processes, name);
      const seen = await look(one, now);
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
