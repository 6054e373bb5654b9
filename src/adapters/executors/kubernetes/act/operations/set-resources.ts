import type { WorkloadPlace } from "../../cluster/workload.ts";
import type { Change } from "../change.ts";
import { changeOperation } from "../kubernetes-operation.ts";
import { toRevision } from "../undo.ts";
import { workloadChange } from "../workload.ts";
import { inEach, unknownContainers } from "./set-image.ts";

type Amounts = Record<string, string | undefined>;
type Parameters = {
  container?: string | undefined;
  requests?: Amounts | undefined;
  limits?: Amounts | undefined;
};

/** Sets requests and limits of `container`, or of all containers if undefined. Other amounts stay. */
function resourcesSet(place: WorkloadPlace, { container, requests, limits }: Parameters): Change {
  const resources = { ...(requests && { requests }), ...(limits && { limits }) };
  return workloadChange(place, {
    signed: ["template_hash"],
    plan(workload) {
      const unknown = container && unknownContainers(workload, [container]);
      if (unknown) return { impossible: unknown };
      const { containers } = inEach(workload, (name) =>
        container === undefined || container === name ? { resources } : undefined,
      );
      // Init containers are changed only when one is named: they have finished already.
      const spec =
        containers === undefined
          ? inEach(workload, (name) => (name === container ? { resources } : undefined))
          : { containers };
      return { patch: { spec: { template: { spec } } } };
    },
  });
}

export const setResources = changeOperation({
  kind: "kubernetes.set_resources",
  change: (_cluster, { target, parameters }) => resourcesSet(target, parameters),
  undo: ({ target }, before) => toRevision(target, before),
});
