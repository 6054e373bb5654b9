import type { Check } from "../../src/contract/approval.ts";
import type { Observation } from "../../src/contract/execution.ts";
import type { ActResult, Executor, Resolution, Run, Undo } from "../../src/execution/index.ts";
import type { Investigator } from "../../src/investigation/index.ts";
import type { Operation } from "../../src/operation/index.ts";
import type { Observer } from "../../src/verification/index.ts";

/**
 * An executor and observer of one imagined process. It keeps what was asked of it; the test says what
 * comes of it. Only for what no real system can be made to do on cue.
 */
export class ScriptedTarget {
  acts: Run[] = [];
  /** What was done, in the order of `acts`. */
  did: Operation[] = [];
  /** Kinds of targets that its observer can see. */
  seen = ["process"];
  healthy: boolean | null = false;
  resolution: Resolution = { result: "hit" };
  effectAnswer: "done" | "not_done" | "cannot_tell" = "not_done";
  undoAnswer: Undo = { ok: false, reason: "a restart leaves nothing to take back" };
  checks: Check[] = [{ name: "program", passed: true, message: "imagined" }];
  /** What it says that its targets belong to. */
  belongs_to: string[] = [];
  /** Called for each act with its number, from 1. */
  onAct: (count: number, run: Run, operation: Operation) => Promise<ActResult> | ActResult = () => {
    this.healthy = true;
    return { ok: true, output: "restarted" };
  };

  /** What the configuration says of its target; undefined: nothing. */
  configured: unknown = undefined;
  /** Awaited when an operation is tried. */
  onTry: () => Promise<void> | void = () => {};
  /** Awaited when its target is looked at before an act. */
  onLook: () => Promise<void> | void = () => {};
  /** Awaited when it is looked at whether its target is well. */
  onObserve: () => Promise<void> | void = () => {};

  readonly executor: Executor = {
    id: "scripted",
    kinds: ["process.restart", "kubernetes.uncordon", "host.clear_docker_logs"],
    configuration: () => this.configured,
    resolve: async () => this.resolution,
    dryRun: async () => {
      await this.onTry();
      return { checks: this.checks, belongs_to: this.belongs_to };
    },
    snapshot: async () => {
      await this.onLook();
      return { pid: 1 };
    },
    act: async (operation, run) => {
      this.acts.push(run);
      this.did.push(operation);
      return this.onAct(this.acts.length, run, operation);
    },
    effect: async () => this.effectAnswer,
    undo: () => this.undoAnswer,
  };

  readonly observer: Observer = {
    id: "scripted",
    observes: (target) => this.seen.includes(target.kind),
    observe: async (_target, now): Promise<Observation> => {
      await this.onObserve();
      return {
        at: now.toISOString(),
        healthy: this.healthy,
        facts: [{ name: "probe", passed: this.healthy === true, message: `healthy: ${this.healthy}` }],
      };
    },
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
