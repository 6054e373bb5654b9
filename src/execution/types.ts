import type { Check } from "../contract/approval.ts";
import type { Risk } from "../contract/common.ts";
import type { Verification } from "../contract/execution.ts";
import type { Ctx } from "../db/ctx.ts";
import type { executions } from "../db/schema.ts";
import type { AutoTerms, Mode } from "../decision/index.ts";
import type { Operation, Scope, Traits } from "../operation/index.ts";
import type { FreezeWindow } from "./freeze/settings.ts";

/**
 * Whether the target is there, by its exact name. `exact` is the operation with what it left open filled in,
 * as the revision to go back to: that is what people sign.
 */
export type Resolution =
  | { result: "hit"; exact?: Operation }
  | { result: "suggestion"; names: string[] }
  | { result: "miss"; message: string }
  | { result: "error"; message: string };

/** What can be known of an operation before it is done. */
export type DryRun = {
  checks: Check[];
  /** What would change, line by line for people to read; null where that cannot be told or nothing would. */
  diff?: string | null;
  /** Pods that would be replaced or ended. */
  affected_pods?: number;
  /** Whose the target is and what else goes with it, as the system says: `namespace/name`. */
  belongs_to?: readonly string[];
};

/** What takes a run back, and what of it stays all the same; or why nothing takes it back. */
export type Undo = { ok: true; operation: Operation; leaves: string | null } | { ok: false; reason: string };

/** One run of an operation: `before` is what the executor's own snapshot returned. */
export type Run = { execution_id: string; attempt: number; before: Record<string, unknown> };

/** `sent: false` promises that nothing reached the target. `status` is the target's own code, where it has one. */
export type ActResult =
  | { ok: true; output: string }
  | { ok: false; error: string; sent: boolean; status?: number; stderr?: string };

/** What holds for one operation, where its kind does not say it. */
export type OwnTraits = Pick<Traits, "scope" | "risk" | "idempotent">;

/** A tool as its executor knows it: `reachable` is null where that was not tried. */
export type ToolReport = OwnTraits & {
  tool: string;
  kind: Operation["kind"];
  /** Who offers it: an executor, or a server that one of them knows. */
  provider: string;
  enabled: boolean;
  description: string | null;
  reachable: boolean | null;
  /** Why it cannot be reached. */
  detail: string | null;
};

/**
 * The port of whatever touches systems. Methods return results; what they throw counts as an error that
 * may have been sent. When `signal` is aborted `act` stops as soon as it can: it may be called again.
 */
export type Executor = {
  id: string;
  /** The operations that it carries out. */
  kinds: readonly Operation["kind"][];
  /** Where operations of one kind differ: what holds for this one; undefined when it is not offered at all. */
  traits?(operation: Operation): OwnTraits | undefined;
  /** The tools behind these kinds, where a kind is more than one; tries whether they can be reached. */
  tools?(): Promise<ToolReport[]>;
  /**
   * All that the configuration says of what this operation does, to what, and how that is reached; undefined where it
   * says nothing, or its target is not there. What people sign is bound to it.
   */
  configuration?(operation: Operation): unknown;
  resolve(operation: Operation): Promise<Resolution>;
  /** Everything that can be known before acting, with what was really found: permission first. Changes nothing. */
  dryRun(operation: Operation): Promise<DryRun>;
  /** What is about to change, as plain JSON: `act` and `effect` are given it. */
  snapshot(operation: Operation): Promise<Record<string, unknown>>;
  act(operation: Operation, run: Run, signal: AbortSignal): Promise<ActResult>;
  /** After a run whose outcome is not known: did this very run take effect? */
  effect(operation: Operation, run: Run): Promise<"done" | "not_done" | "cannot_tell">;
  /** How a run of it is taken back, told from its snapshot alone. */
  undo(operation: Operation, before: Record<string, unknown>): Undo;
};

export type ExecutionRow = Omit<typeof executions.$inferSelect, "operation" | "verification" | "undo"> & {
  operation: Operation;
  /** null: not known, for its snapshot could not be taken. */
  undo: Undo | null;
  verification: Verification | null;
};

/** Who calls the gateway: for people's approvals, for a policy's, and for plans that are being made. */
export type Caller = "approval_executor" | "auto_repair" | "planner";

/** Changes within an hour, for one target and for all together. */
type Rate = { target: number; total: number };

export type GatewayOptions = {
  executors: readonly Executor[];
  /** The name of this installation: what was signed in another is not carried out. */
  project: string;
  /** Names of tools that are refused, whoever calls. */
  disabled_tools: readonly string[];
  /** Which scopes each caller has. */
  grants: Record<Caller, readonly Scope[]>;
  mode: Mode;
  /** Nothing is changed while true, whatever people have frozen besides. */
  frozen: boolean;
  /** Nothing is changed in these times. */
  freeze_windows: readonly FreezeWindow[];
  max_per_hour: Rate;
  /** For what no person has asked for. */
  automatic: { max_per_hour: Rate };
  /** On what terms playbooks run by themselves. */
  by_itself: AutoTerms;
  /** Signatures that a plan needs; one that was fixed with fewer needs these. */
  required_signatures: Record<Risk, number>;
  /** Seconds for which what was decided is authority; what was decided with more has these. */
  authority: number;
  /** Seconds for one look at a target. */
  read_timeout: number;
  /** Asked in the transaction that begins an act: throws if this process is no longer the one to act. */
  assertLeader: (ctx: Ctx) => Promise<void>;
};

/** The gateway as the configuration in force has it at this moment: asked for each time, and never kept. */
export type Gateway = () => GatewayOptions;

export type RunOptions = {
  gateway: Gateway;
  /** Further attempts after the first, for transient errors only. */
  retries: number;
  /** Seconds between attempts. */
  retry_wait: number;
  /** Seconds until it is looked again whether its turn on its target has come, for each that goes before it. */
  busy_wait: number;
  /** Seconds for one act. */
  timeout: number;
  /** Seconds after which an execution that has not ended is looked after by the sweep. */
  deadline: number;
};
