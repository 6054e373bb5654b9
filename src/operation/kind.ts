import { z } from "zod";
import type { BlastRadius } from "../contract/approval.ts";
import type { Risk } from "../contract/common.ts";
import type { OperationSchema, TextForms } from "./reading.ts";

export type Scope = "read" | "write" | "admin";

/** What verification can observe of a target to tell whether an operation worked. */
export type HealthSignal =
  | "alert_silent"
  | "rollout_complete"
  | "replicas_ready"
  | "restarts_stopped"
  | "pod_replaced"
  | "node_schedulable"
  | "node_unschedulable"
  | "node_empty"
  | "process_up"
  | "unit_active"
  | "container_running"
  | "disk_freed"
  | "certificate_valid";

/** Properties common to all operations of a kind. */
export type Traits<Kind extends string = string> = {
  /** Its name in the gateway. */
  tool: string;
  scope: Scope;
  /** Whether doing it twice has the same effect as doing it once. */
  idempotent: boolean;
  risk: Risk;
  data_impact: BlastRadius["data_impact"];
  /** Expected downtime of the target in seconds. */
  downtime: number;
  /** `server`: dry-run by the API server; `look`: checks of the present state only. */
  dry_run: "server" | "look";
  /** The kind of operation that undoes it, using the snapshot; null when it cannot be undone. */
  undo: Kind | null;
  /** Signs that verification checks; empty for an operation that changes nothing, which is not verified. */
  verify: readonly HealthSignal[];
};

/**
 * Definition of a kind of operation, with how texts are read as it (`TextForms`), but without its execution, which is an
 * executor's. What belongs to a tool and not to one operation, as its safeguards, stands in `parse/`.
 */
export type OperationDefinition<Schema extends OperationSchema = OperationSchema> = TextForms<Schema> & {
  /** Schema of its `kind`, `target` and `parameters`, as they are signed. */
  schema: Schema;
  traits: Traits;
  /** Describes it as a card's title: `Restart process demo-shop`. */
  title(operation: z.output<Schema>): string;
  /** Returns the words of the command with which a person would do it, never run; absent when no single one does it. */
  command?(operation: z.output<Schema>): string[];
  /** Removes values whose names mark them as secret; absent when the operation can hold none. */
  redacted?(operation: z.output<Schema>): z.output<Schema>;
};

/** Type-checks a definition and keeps the exact type of its schema. */
export const defineOperation = <Schema extends OperationSchema>(
  definition: OperationDefinition<Schema>,
): OperationDefinition<Schema> => definition;

/** Schema for an operation without parameters. */
export const noParameters = z.strictObject({});

export const READ = {
  scope: "read",
  idempotent: true,
  risk: "low",
  data_impact: "READ_ONLY",
  downtime: 0,
  dry_run: "look",
  undo: null,
  verify: [],
} as const satisfies Omit<Traits, "tool">;

/** Default traits of a change in Kubernetes: dry-run by the API server, without loss of data. */
export const CHANGE = {
  scope: "write",
  idempotent: true,
  risk: "medium",
  data_impact: "NONE",
  downtime: 0,
  dry_run: "server",
  undo: null,
} as const satisfies Omit<Traits, "tool" | "verify">;

export const ON_HOST = { ...CHANGE, dry_run: "look" } as const;

export const ROLLED_OUT: readonly HealthSignal[] = [
  "rollout_complete",
  "replicas_ready",
  "restarts_stopped",
  "alert_silent",
];
