import type { Check } from "../contract/approval.ts";
import type { Risk } from "../contract/common.ts";
import type { Verification } from "../contract/execution.ts";
import type { Ctx } from "../db/ctx.ts";
import type { executions } from "../db/schema.ts";
import type { AutoTerms, Mode } from "../decision/index.ts";
import type { Operation, Scope, Traits } from "../operation/index.ts";
import type { FreezeWindow } from "./freeze/settings.ts";

/**
 * Whether the target exists under its exact name. `exact` is the operation with open parameters filled in, such as the
 * revision to roll back to: this is what people sign.
 */
export type Resolution =
  | { result: "hit"; exact?: Operation }
  | { result: "suggestion"; names: string[] }
  | { result: "miss"; message: string }
  | { result: "error"; message: string };

/** What an executor can tell about an operation before it is carried out. */
export type DryRun = {
  checks: Check[];
  /** What would change, line by line for people to read; null where nothing would or it cannot be determined. */
  diff?: string | null;
  /** Pods that would be replaced or ended. */
  affected_pods?: number;
  /** Owners of the target and what else is affected with it, as the system reports them: `namespace/name`. */
  belongs_to?: readonly string[];
};

/** The operation that undoes a run, with the effects that remain (`leaves`); or why it cannot be undone. */
export type Undo = { ok: true; operation: Operation; leaves: string | null } | { ok: false; reason: string };

/** One run of an operation: `before` is what the executor's own snapshot returned. */
export type Run = { execution_id: string; attempt: number; before: Record<string, unknown> };

/** `sent: false` promises that nothing reached the target. `status` is the target's own code, where it has one. */
export type ActResult =
  | { ok: true; output: string }
  | { ok: false; error: string; sent: boolean; status?: number; stderr?: string };

/** Traits of one operation, where those of its kind do not determine them. */
export type OwnTraits = Pick<Traits, "scope" | "risk" | "idempotent">;

/** A tool as its executor reports it: `reachable` is null where that was not tested. */
export type ToolReport = OwnTraits & {
  tool: string;
  kind: Operation["kind"];
  /** The provider: an executor, or a tool server that an executor is configured with. */
  provider: string;
  enabled: boolean;
  description: string | null;
  reachable: boolean | null;
  /** Why it cannot be reached. */
  detail: string | null;
};

/**
 * The port of an adapter that reads and changes systems. An error thrown by `act` counts as one that may have been
 * sent. When `signal` is aborted, `act` stops as soon as it can: it may be called again.
 */
export type Executor = {
  id: string;
  /** The kinds of operation that it carries out. */
  kinds: readonly Operation["kind"][];
  /** Returns the traits of this operation, where those of one kind differ; undefined when it is not offered. */
  traits?(operation: Operation): OwnTraits | undefined;
  /** Lists the tools behind these kinds, where one kind has several, and tests whether they can be reached. */
  tools?(): Promise<ToolReport[]>;
  /**
   * Returns all configuration that determines what this operation does, to which target, and how that is reached;
   * undefined where there is none or the target is not configured. A signed plan is bound to it.
   */
  configuration?(operation: Operation): unknown;
  resolve(operation: Operation): Promise<Resolution>;
  /** Checks all that can be checked on the real target before acting, permission first. Changes nothing. */
  dryRun(operation: Operation): Promise<DryRun>;
  /** Returns the state that is about to change, as plain JSON: `act` and `effect` receive it as `run.before`. */
  snapshot(operation: Operation): Promise<Record<string, unknown>>;
  act(operation: Operation, run: Run, signal: AbortSignal): Promise<ActResult>;
  /** Tells, after a run whose outcome is not known, whether that very run took effect. */
  effect(operation: Operation, run: Run): Promise<"done" | "not_done" | "cannot_tell">;
  /** Returns how a run is undone, derived from its snapshot alone. */
  undo(operation: Operation, before: Record<string, unknown>): Undo;
};

export type ExecutionRow = Omit<typeof executions.$inferSelect, "operation" | "verification" | "undo"> & {
  operation: Operation;
  /** null: not known, because the snapshot could not be taken. */
  undo: Undo | null;
  verification: Verification | null;
};

/** The callers of the gateway: executions approved by people, executions approved by policy, and plans being made. */
export type Caller = "approval_executor" | "auto_repair" | "planner";

/** Maximum changes within an hour, for one target and in total. */
type Rate = { target: number; total: number };

export type GatewayOptions = {
  executors: readonly Executor[];
  /** The name of this installation: plans signed in another one are refused. */
  project: string;
  /** Names of tools that are refused for every caller. */
  disabled_tools: readonly string[];
  /** The scopes granted to each caller. */
  grants: Record<Caller, readonly Scope[]>;
  mode: Mode;
  /** While true no change is made, independently of freezes set by people. */
  frozen: boolean;
  /** Recurring times in which no change is made. */
  freeze_windows: readonly FreezeWindow[];
  max_per_hour: Rate;
  /** Limits for executions that policy approved. */
  automatic: { max_per_hour: Rate };
  /** The terms on which playbooks run without an approver. */
  by_itself: AutoTerms;
  /** Signatures that a plan needs now; it also raises the number of plans made with a lower one. */
  required_signatures: Record<Risk, number>;
  /** Seconds for which an approval is valid; also shortens approvals given when it was longer. */
  authority: number;
  /** Timeout in seconds of one read of a target. */
  read_timeout: number;
  /** Called in the transaction that begins an act: throws if another server has taken over the database. */
  assertLeader: (ctx: Ctx) => Promise<void>;
};

/** Returns the gateway's options from the configuration in force now: call it each time, do not keep the result. */
export type Gateway = () => GatewayOptions;

export type RunOptions = {
  gateway: Gateway;
  /** Further attempts after the first, for transient errors only. */
  retries: number;
  /** Seconds between attempts. */
  retry_wait: number;
  /** Seconds until a waiting execution asks again whether it may act, per execution ahead of it on its target. */
  busy_wait: number;
  /** Timeout in seconds of one act. */
  timeout: number;
  /** Seconds after which the sweep takes care of an execution that has not ended. */
  deadline: number;
};
