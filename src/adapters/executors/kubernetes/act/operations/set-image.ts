import type { Workload, WorkloadPlace } from "../../cluster/workload.ts";
import type { Change } from "../change.ts";
import { changeOperation } from "../kubernetes-operation.ts";
import { toRevision } from "../undo.ts";
import { workloadChange } from "../workload.ts";

type Lists = { containers: { name: string }[]; initContainers: { name: string }[] };

/** Returns the patch of the containers and init containers for which `part` returns a change. */
export function inEach(workload: Workload, part: (name: string) => object | undefined): Partial<Lists> {
  const { containers = [], initContainers = [] } = workload.spec.template.spec ?? {};
  const parts = (list: readonly { name: string }[]) =>
    list.flatMap(({ name }) => {
      const change = part(name);
      return change === undefined ? [] : [{ name, ...change }];
    });
  const lists = { containers: parts(containers), initContainers: parts(initContainers) };
  return Object.fromEntries(Object.entries(lists).filter(([, list]) => list.length > 0));
}

/** Describes which of `names` are not in `known`; undefined if all of them are. `*` always is. */
export function missingOf(known: readonly string[], names: readonly string[]): string | undefined {
  const missing = names.filter((one) => one !== "*" && !known.includes(one));
  return missing.length === 0
    ? undefined
    : `it has no container ${missing.join(", ")}; its containers: ${known.join(", ")}`;
}

/** Does the same for the containers and init containers of a workload's template. */
export function unknownContainers(workload: Workload, names: readonly string[]): string | undefined {
  const { containers = [], initContainers = [] } = workload.spec.template.spec ?? {};
  return missingOf(
    [...initContainers, ...containers].map((one) => one.name),
    names,
  );
}

/** Sets the images of containers. `*` means all of them, init containers included, as in kubectl. */
function imagesSet(place: WorkloadPlace, images: Record<string, string>): Change {
  return workloadChange(place, {
    signed: ["template_hash"],
    plan(workload) {
      const unknown = unknownContainers(workload, Object.keys(images));
      if (unknown !== undefined) return { impossible: unknown };
      const spec = inEach(workload, (name) => {
        const image = images[name] ?? images["*"];
        return image === undefined ? undefined : { image };
      });
      return { patch: { spec: { template: { spec } } } };
    },
  });
}

export const setImage = changeOperation({
  kind: "kubernetes.set_image",
  change: (_cluster, { target, parameters }) => imagesSet(target, parameters.images),
  undo: ({ target }, before) => toRevision(target, before),
});
