import type { Observation } from "../../src/contract/execution.ts";
import type { Investigator } from "../../src/decision/index.ts";
import type { ActResult, Executor, Resolution, Run, Undo } from "../../src/execution/index.ts";
import type { Observer } from "../../src/verification/index.ts";

/**
 * An executor and observer of one imagined process. It keeps what was asked of it; the test says what
 * comes of it. Only for what no real system can be made to do on cue.
 */
export class ScriptedTarget {
  acts: Run[] = [];
  healthy: boolean | null = false;
  resolution: Resolution = { result: "hit" };
  effectAnswer: "done" | "not_done" | "cannot_tell" = "not_done";
  undoAnswer: Undo = { ok: false, reason: "a restart leaves nothing to take back" };
  /** Called for each act with its number, from 1. */
  onAct: (count: number, run: Run) => Promise<ActResult> | ActResult = () => {
    this.healthy = true;
    return { ok: true, output: "restarted" };
  };

  readonly executor: Executor = {
    id: "scripted",
    kinds: ["process.restart"],
    resolve: async () => this.resolution,
    dryRun: async () => ({ checks: [{ name: "program", passed: true, message: "imagined" }] }),
    snapshot: async () => ({ pid: 1 }),
    act: async (_operation, run) => {
      this.acts.push(run);
      return this.onAct(this.acts.length, run);
    },
    effect: async () => this.effectAnswer,
    undo: () => this.undoAnswer,
  };

  readonly observer: Observer = {
    id: "scripted",
    observes: (target) => target.kind === "process",
    observe: async (_target, now): Promise<Observation> => ({
      at: now.toISOString(),
      healthy: this.healthy,
      facts: [{ name: "probe", passed: this.healthy === true, message: `healthy: ${this.healthy}` }],
    }),
  };

  readonly investigator: Investigator = {
    id: "scripted",
    investigates: ({ kind }) => kind === "process",
    investigate: async (about, now) => {
      const at = now.toISOString();
      const fact = {
        id: "E1",
        source: "scripted",
        at,
        subject: `process/${about.name}`,
        text: "it is imagined",
      };
      const finding = {
        code: "imagined",
        weight: "note" as const,
        title: "It is imagined",
        meaning: "So is this.",
      };
      return {
        at,
        target: about,
        evidence: [fact],
        findings: [{ ...finding, evidence: ["E1"] }],
        missing: [],
      };
    },
  };
}
