import { z } from "zod";
import type { BlastRadius } from "../contract/approval.ts";
import type { Risk } from "../contract/common.ts";

export type Scope = "read" | "write" | "admin";

/** What can be seen of a target after an operation, and tells whether it worked. */
export type Sign =
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

/** What holds for every operation of a kind. */
export type Traits<Kind extends string = string> = {
  /** The gateway's name of it. */
  tool: string;
  scope: Scope;
  /** Doing it twice comes to the same as doing it once. */
  idempotent: boolean;
  risk: Risk;
  data_impact: BlastRadius["data_impact"];
  /** Seconds for which the target is expected to be away. */
  downtime: number;
  /** `server`: tried by the API server itself; `look`: what can be seen without trying. */
  dry_run: "server" | "look";
  /** The kind of operation that takes it back, with what the snapshot holds; null where nothing does. */
  undo: Kind | null;
  /** What verification looks for; an operation that changes nothing is not verified. */
  verify: readonly Sign[];
};

/** A kind of operation: all there is to know of it but how its executor does it and how a command is read as it. */
export type OperationDefinition<Schema extends z.ZodType = z.ZodType> = {
  /** Its `kind`, `target` and `parameters`, as they are signed. */
  schema: Schema;
  traits: Traits;
  /** In words, as a card's title: `Restart process demo-shop`. */
  title(operation: z.output<Schema>): string;
  /** The words of the one command by which a person would do it; absent where there is none. It is never run. */
  command?(operation: z.output<Schema>): string[];
  /** The same without what its names say is secret; absent where it holds nothing of the kind. */
  redacted?(operation: z.output<Schema>): z.output<Schema>;
};

/** Checks a definition, and keeps the exact type of its schema. */
export const defineOperation = <Schema extends z.ZodType>(
  definition: OperationDefinition<Schema>,
): OperationDefinition<Schema> => definition;

/** Parameters of what needs none. */
export const nothing = z.strictObject({});

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

/** A change that the API server tries first and that, by itself, takes nothing away. */
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

export const ROLLED_OUT: readonly Sign[] = [
  "rollout_complete",
  "replicas_ready",
  "restarts_stopped",
  "alert_silent",
];
