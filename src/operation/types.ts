import { z } from "zod";
import type { BlastRadius } from "../contract/approval.ts";
import type { Risk } from "../contract/common.ts";
import { operationTarget } from "../contract/incident.ts";

// RFC 1123, as Kubernetes asks for: names come from alerts, and people copy commands with them into shells.
const dnsName = z.string().regex(/^[a-z0-9]([-.a-z0-9]{0,251}[a-z0-9])?$/, "is not a Kubernetes name");
const inCluster = operationTarget.extend({ name: dnsName, namespace: dnsName });
const workload = inCluster.extend({ kind: z.enum(["deployment", "statefulset", "daemonset"]) });
const scalable = inCluster.extend({ kind: z.enum(["deployment", "statefulset"]) });
const process = operationTarget.extend({ kind: z.literal("process") });
const nothing = z.strictObject({});

/**
 * Everything that can be done to a system, and nothing else can. Data from outside becomes one of these
 * or is refused; none of it reaches a shell.
 */
export const operation = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("process.restart"), target: process, parameters: nothing }),
  z.strictObject({ kind: z.literal("kubernetes.rollout_restart"), target: workload, parameters: nothing }),
  z.strictObject({ kind: z.literal("kubernetes.rollout_undo"), target: workload, parameters: nothing }),
  z.strictObject({
    kind: z.literal("kubernetes.scale_out"),
    target: scalable,
    /** A count that is higher already stays. */
    parameters: z.strictObject({ at_least: z.number().int().min(1).max(1_000) }),
  }),
  z.strictObject({
    kind: z.literal("investigate"),
    target: operationTarget.nullable(),
    parameters: nothing,
  }),
]);
export type Operation = z.infer<typeof operation>;
export type OperationKind = Operation["kind"];

export type Scope = "read" | "write" | "admin";

/** What holds for every operation of a kind. */
export type Traits = {
  /** The gateway's name of it. */
  tool: string;
  scope: Scope;
  /** Doing it twice comes to the same as doing it once. */
  idempotent: boolean;
  risk: Risk;
  data_impact: BlastRadius["data_impact"];
  /** Seconds for which the target is expected to be away. */
  downtime: number;
};
