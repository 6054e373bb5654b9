import type { Cluster } from "../../cluster/client.ts";
import type { Autoscaler } from "../../cluster/objects.ts";
import type { WorkloadPlace } from "../../cluster/workload.ts";
import type { Change } from "../change.ts";
import { autoscalerCheck } from "../checks/autoscaler.ts";
import { ownerCheck } from "../checks/owner.ts";
import { type Signed, stateOfAutoscaler } from "../snapshot.ts";
import { missingOf } from "./set-image.ts";
import { workloadChange } from "./workload.ts";

export type PatchOfSpec = {
  spec: {
    replicas?: number | undefined;
    minReplicas?: number | undefined;
    maxReplicas?: number | undefined;
    template?: { spec?: { containers?: { name: string }[] | undefined } | undefined } | undefined;
    [field: string]: unknown;
  };
};
export type PatchPlace = {
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

/** A patch of what the operation's own schema allows. */
export function patch(cluster: Cluster, place: PatchPlace, change: PatchOfSpec): Change {
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
      // A strategic merge patch would add a container of a name that is not there.
      const names = (template?.spec?.containers ?? []).map((one) => one.name);
      const known = (object.spec.template.spec?.containers ?? []).map((one) => one.name);
      const unknown = missingOf(known, names);
      return unknown === undefined ? { patch: change } : { impossible: unknown };
    },
    checks: async () =>
      replicas === undefined ? [] : [await autoscalerCheck(cluster, workload, replicas, "exactly")],
  });
}
