import type { Undo } from "../../../../../execution/index.ts";
import type { Operation } from "../../../../../operation/index.ts";
import type { Cluster } from "../../cluster/client.ts";
import type { Autoscaler } from "../../cluster/objects.ts";
import type { WorkloadPlace } from "../../cluster/workload.ts";
import type { Change } from "../change.ts";
import { autoscalerCheck } from "../checks/autoscaler.ts";
import { ownerCheck } from "../checks/owner.ts";
import { changeOperation, type Of } from "../kubernetes-operation.ts";
import { type Signed, type Snapshot, stateOfAutoscaler } from "../snapshot.ts";
import { NO_SNAPSHOT, toRevision, UNCHANGED, undoBy } from "../undo.ts";
import { workloadChange } from "../workload.ts";
import { missingOf } from "./set-image.ts";

type PatchOfSpec = {
  spec: {
    replicas?: number | undefined;
    minReplicas?: number | undefined;
    maxReplicas?: number | undefined;
    template?: { spec?: { containers?: { name: string }[] | undefined } | undefined } | undefined;
    [field: string]: unknown;
  };
};
type PatchPlace = {
  kind: WorkloadPlace["kind"] | "horizontalpodautoscaler";
  name: string;
  namespace: string;
};

function autoscalerPatch({ kind, name, namespace }: PatchPlace, patch: PatchOfSpec): Change {
  return {
    place: { kind, name, namespace },
    signed: (["minReplicas", "maxReplicas"] as const).filter((field) => patch.spec[field] !== undefined),
    state: (object) => stateOfAutoscaler(object as Autoscaler),
    plan: () => ({ patch }),
    checks: async ({ metadata }) => [ownerCheck(metadata) ?? []].flat(),
  };
}

/** Returns the change for a patch; the operation's schema limits what it may contain. */
function patched(cluster: Cluster, place: PatchPlace, change: PatchOfSpec): Change {
  if (place.kind === "horizontalpodautoscaler") return autoscalerPatch(place, change);
  const workload = { ...place, kind: place.kind };
  const { replicas, template } = change.spec;
  const signed: Signed[] = [
    ...(template === undefined ? [] : (["template_hash"] as const)),
    ...(replicas === undefined ? [] : (["replicas"] as const)),
  ];
  return workloadChange(workload, {
    signed,
    plan(object) {
      // A strategic merge patch would add a container whose name does not exist yet.
      const names = (template?.spec?.containers ?? []).map((one) => one.name);
      const known = (object.spec.template.spec?.containers ?? []).map((one) => one.name);
      const unknown = missingOf(known, names);
      return unknown === undefined ? { patch: change } : { impossible: unknown };
    },
    checks: async () =>
      replicas === undefined ? [] : [await autoscalerCheck(cluster, workload, replicas, "exactly")],
  });
}

function toNumbers({ target, parameters }: Of<"kubernetes.patch">, before: Partial<Snapshot>): Undo {
  const { numbers = {} } = before;
  const { template, ...changed } = parameters.patch.spec as Record<string, unknown>;
  const names = Object.keys(changed).filter((name) => changed[name] !== undefined);
  if (template !== undefined) {
    const leaves = names.length === 0 ? null : `${names.join(", ")} keep their new values`;
    return toRevision(target as WorkloadPlace, before, leaves);
  }
  const old = Object.fromEntries(names.flatMap((name) => (name in numbers ? [[name, numbers[name]]] : [])));
  if (Object.keys(old).length < names.length) return NO_SNAPSHOT;
  if (names.every((name) => old[name] === changed[name])) return UNCHANGED;
  return undoBy({ kind: "kubernetes.patch", target, parameters: { patch: { spec: old } } } as Operation);
}

export const patch = changeOperation({
  kind: "kubernetes.patch",
  change: (cluster, { target, parameters }) => patched(cluster, target, parameters.patch),
  undo: toNumbers,
});
