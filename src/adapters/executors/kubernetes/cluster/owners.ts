import { workloadOfJob, workloadOfReplicaSet } from "../../../../intake/index.ts";
import { plain } from "./failure.ts";
import { type Changeable, controllerOf, type Meta, type Pod } from "./objects.ts";
import { ownerKind } from "./owner-kind.ts";

/** Returns the name of the controlling workload, without the suffix of a replica set or scheduled job. */
function controllerName(metadata: Meta): string[] {
  const controller = controllerOf(metadata);
  if (controller === undefined) return [];
  const kind = ownerKind(controller);
  if (kind === "replicaset") return [workloadOfReplicaSet(controller.name)];
  return [kind === "job" ? workloadOfJob(controller.name) : controller.name];
}

const within = ({ namespace }: Meta, name: string) =>
  plain(namespace === undefined ? name : `${namespace}/${name}`, 300);

/** Returns an object's owners as `namespace/name`: its controller and, for an autoscaler, what it scales. */
export function objectOwners({ metadata, spec }: Changeable): string[] {
  const scaled = (spec as { scaleTargetRef?: { name?: string } } | undefined)?.scaleTargetRef?.name;
  const names = [...controllerName(metadata), ...(scaled === undefined ? [] : [scaled])];
  return names.map((name) => within(metadata, name));
}

/** Returns the owners of pods, each once; a pod without a controller is its own owner. */
export const ownersOfPods = (pods: readonly Pod[]): string[] => [
  ...new Set(
    pods.flatMap(({ metadata }) => {
      const owners = objectOwners({ metadata });
      return owners.length === 0 ? [within(metadata, metadata.name)] : owners;
    }),
  ),
];
