import { z } from "zod";
import type { BlastRadius } from "../contract/approval.ts";
import type { Risk } from "../contract/common.ts";
import { operationTarget } from "../contract/incident.ts";
import {
  composeProject,
  composeService,
  container,
  containerOfPod,
  host,
  logged,
  measured,
  node,
  patchable,
  pod,
  process,
  readable,
  scalable,
  selection,
  unit,
  workload,
} from "./names.ts";
import { amounts, autoscalerPatch, changesAnything, image, workloadPatch } from "./patch.ts";
import { toolCall } from "./tool.ts";

const nothing = z.strictObject({});
const replicas = z.number().int().min(0).max(1_000);

/** Reads of one object by its name, or of those that `selection` picks. */
const oneOrSelected = (one: { target: unknown; parameters: z.infer<typeof selection> }) =>
  one.target === null
    ? one.parameters.resource !== undefined
    : Object.keys(selection.shape).every((field) => !(field in one.parameters));
const EITHER = "reads either one object by its name, or what a resource and its selectors pick";

const kubernetesChanges = [
  z.strictObject({ kind: z.literal("kubernetes.rollout_restart"), target: workload, parameters: nothing }),
  z.strictObject({
    kind: z.literal("kubernetes.rollout_undo"),
    target: workload,
    /** Without a revision: the one before. */
    parameters: z.strictObject({ to_revision: z.number().int().min(1).max(2_147_483_647).optional() }),
  }),
  z.strictObject({
    kind: z.literal("kubernetes.scale_out"),
    target: scalable,
    /** A count that is higher already stays. */
    parameters: z.strictObject({ at_least: z.number().int().min(1).max(1_000) }),
  }),
  z.strictObject({
    kind: z.literal("kubernetes.scale"),
    target: scalable,
    /** Exactly so many, also where that is fewer; 0 stops the workload. */
    parameters: z.strictObject({ replicas }),
  }),
  z.strictObject({ kind: z.literal("kubernetes.delete_pod"), target: pod, parameters: nothing }),
  z.strictObject({ kind: z.literal("kubernetes.cordon"), target: node, parameters: nothing }),
  z.strictObject({ kind: z.literal("kubernetes.uncordon"), target: node, parameters: nothing }),
  z.strictObject({
    kind: z.literal("kubernetes.drain"),
    target: node,
    parameters: z.strictObject({
      ignore_daemonsets: z.boolean(),
      /** Pods with data in an emptyDir lose it; without this such a pod stops the drain. */
      delete_emptydir_data: z.boolean(),
    }),
  }),
  z.strictObject({
    kind: z.literal("kubernetes.set_image"),
    target: workload,
    /** By container; `*` is every one. */
    parameters: z.strictObject({
      images: z
        .record(z.union([containerOfPod, z.literal("*")]), image)
        .refine((one) => Object.keys(one).length > 0, "names no image"),
    }),
  }),
  z.strictObject({
    kind: z.literal("kubernetes.set_resources"),
    target: workload,
    /** Without a container: every one. */
    parameters: z
      .strictObject({
        container: containerOfPod.optional(),
        requests: amounts.optional(),
        limits: amounts.optional(),
      })
      .refine((one) => one.requests !== undefined || one.limits !== undefined, "names no resource"),
  }),
  z
    .strictObject({
      kind: z.literal("kubernetes.patch"),
      target: patchable,
      parameters: z.strictObject({
        patch: z.union([workloadPatch, autoscalerPatch]).refine(changesAnything, "changes nothing"),
      }),
    })
    .refine(
      ({ target, parameters: { patch } }) =>
        (target.kind === "horizontalpodautoscaler" ? autoscalerPatch : workloadPatch).safeParse(patch)
          .success && !(target.kind === "daemonset" && "replicas" in patch.spec),
      "is not a patch of what such an object may have changed",
    ),
] as const;

const kubernetesReads = [
  z
    .strictObject({
      kind: z.literal("kubernetes.get"),
      target: readable.nullable(),
      parameters: selection,
    })
    .refine(oneOrSelected, EITHER),
  z
    .strictObject({
      kind: z.literal("kubernetes.describe"),
      target: readable.nullable(),
      parameters: selection,
    })
    .refine(oneOrSelected, EITHER),
  z
    .strictObject({
      kind: z.literal("kubernetes.logs"),
      target: logged.nullable(),
      parameters: selection.extend({
        container: containerOfPod.optional(),
        all_containers: z.literal(true).optional(),
        /** Of the container before the present one. */
        previous: z.literal(true).optional(),
        /** Lines from the end. */
        tail: z.number().int().min(0).max(1_000_000).optional(),
        since_seconds: z.number().int().min(1).max(31_536_000).optional(),
      }),
    })
    .refine(oneOrSelected, EITHER),
  z
    .strictObject({
      kind: z.literal("kubernetes.top"),
      target: measured.nullable(),
      parameters: selection.extend({ containers: z.literal(true).optional() }),
    })
    .refine(oneOrSelected, EITHER),
] as const;

const hostOperations = [
  z.strictObject({ kind: z.literal("host.diagnose"), target: host, parameters: nothing }),
  z.strictObject({ kind: z.literal("host.systemctl_restart"), target: unit, parameters: nothing }),
  z.strictObject({ kind: z.literal("host.docker_restart"), target: container, parameters: nothing }),
  z.strictObject({
    kind: z.literal("host.docker_compose_restart"),
    target: composeService,
    /** Without a project: the one of the folder that the host's configuration names. */
    parameters: z.strictObject({ project: composeProject.optional() }),
  }),
  z.strictObject({
    kind: z.literal("host.clear_docker_logs"),
    /** On a host: of every container there. */
    target: z.union([container, host]),
    parameters: nothing,
  }),
  z.strictObject({
    kind: z.literal("host.docker_prune"),
    target: host,
    /**
     * Never volumes. `all_images` takes every image that no container uses, not only those without a name; of the
     * builder all that it keeps.
     */
    parameters: z
      .strictObject({ what: z.enum(["system", "container", "image", "builder"]), all_images: z.boolean() })
      .refine(({ what, all_images }) => what !== "container" || !all_images, "containers have no images"),
  }),
  z.strictObject({
    kind: z.literal("host.vacuum_journal"),
    target: host,
    /** What stays of the systemd journal, its latest entries, in units of 1,048,576 bytes: `M` of `--vacuum-size`. */
    parameters: z.strictObject({ keep_megabytes: z.number().int().min(50).max(1_000_000) }),
  }),
  z.strictObject({ kind: z.literal("host.renew_certificate"), target: host, parameters: nothing }),
  z.strictObject({ kind: z.literal("host.reload_nginx"), target: host, parameters: nothing }),
] as const;

/**
 * Everything that can be done to a system, and nothing else can. Data from outside becomes one of these
 * or is refused; none of it reaches a shell.
 */
export const operation = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("process.restart"), target: process, parameters: nothing }),
  ...kubernetesChanges,
  ...kubernetesReads,
  ...hostOperations,
  toolCall,
  z.strictObject({
    kind: z.literal("investigate"),
    target: operationTarget.nullable(),
    parameters: nothing,
  }),
  z.strictObject({ kind: z.literal("none"), target: operationTarget.nullable(), parameters: nothing }),
]);
export type Operation = z.infer<typeof operation>;
export type OperationKind = Operation["kind"];

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
  /** `server`: tried by the API server itself; `look`: what can be seen without trying. */
  dry_run: "server" | "look";
  /** The kind of operation that takes it back, with what the snapshot holds; null where nothing does. */
  undo: OperationKind | null;
  /** What verification looks for; an operation that changes nothing is not verified. */
  verify: readonly Sign[];
};
