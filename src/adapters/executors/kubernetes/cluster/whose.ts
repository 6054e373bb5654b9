import { workloadOfJob, workloadOfReplicaSet } from "../../../../intake/index.ts";
import { plain } from "./failure.ts";
import { type Changeable, controllerOf, type Meta, type Pod } from "./objects.ts";
import { ownerKind } from "./owner-kind.ts";

/** The workload that a controller is of: its own name, without what a replica set or a scheduled job adds. */
function controllerName(metadata: Meta): string[] {
  const controller = controllerOf(metadata);
  if (controller === undefined) return [];
  const kind = ownerKind(controller);
  if (kind === "replicaset") return [workloadOfReplicaSet(controller.name)];
  return [kind === "job" ? workloadOfJob(controller.name) : controller.name];
}

const within = ({ namespace }: Meta, name: string) =>
  plain(namespace === undefined ? name : `${namespace}/${name}`, 300);

/** Whose an object is, as `namespace/name`: its controller's, and an autoscaler's also what it scales. */
export function whoseIs({ metadata, spec }: Changeable): string[] {
  const scaled = (spec as { scaleTargetRef?: { name?: string } } | undefined)?.scaleTargetRef?.name;
  const names = [...controllerName(metadata), ...(scaled === undefined ? [] : [scaled])];
  return names.map((name) => within(metadata, name));
}

/** The same of pods, each once; one without a controller is its own. */
export const ownersOfPods = (pods: readonly Pod[]): string[] => [
  ...new Set(
    pods.flatMap(({ metadata }) => {
      const owners = whoseIs({ metadata });
      return owners.length === 0 ? [within(metadata, metadata.name)] : owners;
    }),
  ),
];
