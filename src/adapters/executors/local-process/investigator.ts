import type { Finding } from "../../../contract/evidence.ts";
import type { Investigator } from "../../../decision/index.ts";
import { clip } from "../../../lib/clip.ts";
import { inTime } from "../../../lib/duration.ts";
import { ask, type Probed } from "./probe.ts";
import { type Live, locate, type Supervised } from "./supervised.ts";

// What has been up for less may be between two crashes.
const LATELY_SECONDS = 60;

type Part = { text: string; finding: Omit<Finding, "evidence"> | null };

function ofProcess(name: string, live: Live | undefined, now: Date, stopped: string | undefined): Part {
  if (live === undefined && stopped !== undefined)
    return {
      text: `none is running, stopped on purpose ${stopped}`,
      finding: {
        code: "process_stopped",
        weight: "cause",
        title: `${name} was stopped on purpose ${stopped}`,
        meaning: `Somebody stopped it on purpose: awoooi processes start ${name} starts it again.`,
      },
    };
  if (live === undefined)
    return {
      text: "none is running",
      finding: {
        code: "process_not_running",
        weight: "cause",
        title: `${name} is not running`,
        meaning: "It has ended, or was never started: the end of its log says why.",
      },
    };
  const age = now.getTime() - Date.parse(live.started_at);
  const text = `pid ${live.pid}, up for ${inTime(age)}`;
  if (live.suspended)
    return {
      text: `${text}, suspended`,
      finding: {
        code: "process_suspended",
        weight: "cause",
        title: `${name} (pid ${live.pid}) is suspended`,
        meaning: "A signal (SIGSTOP, SIGTSTP) or a debugger holds it: it does nothing until it is continued.",
      },
    };
  if (age >= LATELY_SECONDS * 1000) return { text, finding: null };
  return {
    text,
    finding: {
      code: "restarted_lately",
      weight: "symptom",
      title: `${name} was started ${inTime(age)} ago`,
      meaning: "Whether it stays up cannot be told yet.",
    },
  };
}

function ofProbe(name: string, { ok, message }: Probed, live: Live | undefined): Part {
  // Whoever answers there, it is not the process.
  if (live === undefined)
    return {
      text: message,
      finding: ok
        ? {
            code: "address_taken",
            weight: "cause",
            title: `Another program answers where ${name} should: ${message}`,
            meaning:
              "It holds the address, so what is started there ends again: stop it, or give one of them another port.",
          }
        : null,
    };
  const failing: Part["finding"] = {
    code: "probe_failing",
    weight: "cause",
    title: `The probe of ${name} fails: ${message}`,
    meaning: "It does not serve as its configuration says that it should.",
  };
  const well: Part["finding"] = {
    code: "process_healthy",
    weight: "note",
    title: `${name} looks well now: its probe ${message}`,
    meaning: "It runs and its probe is answered as configured: the trouble is over, or elsewhere.",
  };
  return { text: message, finding: ok ? well : failing };
}

/** Reads whether a configured process lives and what its probe answers, and says what that means. */
export function createInvestigator(processes: ReadonlyMap<string, Supervised>): Investigator {
  return {
    id: "local-process",
    investigates: ({ kind, name }) => kind === "process" && processes.has(name),
    async investigate(target, now) {
      const { name } = target;
      const one = processes.get(name);
      if (one === undefined) throw new Error(`no process "${clip(name, 100)}" is configured`);
      const { probe } = one.config;
      const [live, probed] = await Promise.all([locate(one), probe && ask(probe)]);
      const at = now.toISOString();
      const parts = [
        { subject: `process ${name}`, ...ofProcess(name, live, now, one.stopped()) },
        ...(probed?.asked ? [{ subject: `probe of ${name}`, ...ofProbe(name, probed, live) }] : []),
      ];
      const evidence = parts.map(({ subject, text }, index) => ({
        id: `E${index + 1}`,
        source: "local-process",
        at,
        subject,
        text,
      }));
      const findings = parts.flatMap(({ finding }, index) =>
        finding === null ? [] : [{ ...finding, evidence: [`E${index + 1}`] }],
      );
      const missing = [
        ...(probe === undefined
          ? [`probe of ${name}: none is configured, so whether it serves is not known`]
          : []),
        ...(probed?.asked === false ? [`probe of ${name}: ${probed.message}`] : []),
      ];
      return { at, target, evidence, findings, missing };
    },
  };
}
