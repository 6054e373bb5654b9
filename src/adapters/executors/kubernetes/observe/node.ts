import type { Check } from "../../../../contract/approval.ts";
import type { PerformedAction } from "../../../../verification/index.ts";
import { type DrainTerms, sortPods } from "../act/drain-pods.ts";
import { podsOn } from "../act/snapshot.ts";
import type { Cluster } from "../cluster/client.ts";
import { plain } from "../cluster/failure.ts";
import { type Node, read } from "../cluster/objects.ts";
import { some } from "./containers.ts";

const PRESSURE = /Pressure$|^NetworkUnavailable$/;

function readyFact(node: Node): Check {
  const ready = node.status?.conditions?.find((one) => one.type === "Ready");
  const passed = ready?.status === "True";
  const why = `${ready?.reason ?? "unknown"}: ${plain(ready?.message ?? "", 300)}`;
  return { name: "node", passed, message: passed ? "it is ready" : `it is not ready (${why})` };
}

function pressureFact(node: Node): Check {
  const bad = (node.status?.conditions ?? []).filter(
    (one) => PRESSURE.test(one.type) && one.status === "True",
  );
  const message = some(bad.map((one) => `${one.type}: ${plain(one.message ?? "", 300)}`));
  return {
    name: "pressure",
    passed: bad.length === 0,
    message: bad.length === 0 ? "no pressure" : message,
  };
}

function schedulableFact(node: Node, wanted: boolean): Check {
  const takes = node.spec?.unschedulable !== true;
  return {
    name: "scheduling",
    passed: takes === wanted,
    message: takes ? "it accepts new pods" : "it accepts no new pods",
  };
}

async function emptyFact(cluster: Cluster, name: string, terms: DrainTerms): Promise<Check> {
  const { evict, obstacles } = sortPods(await podsOn(cluster, name), terms);
  const left = [...evict.map(({ metadata }) => `${metadata.namespace}/${metadata.name}`), ...obstacles];
  const message = left.length === 0 ? "only daemon set and static pods are left" : `left: ${some(left)}`;
  return { name: "pods", passed: left.length === 0, message: plain(message) };
}

/** Returns the facts about a node. After a cordon or drain it need not be ready, as that is often the reason for it. */
export async function nodeFacts(
  cluster: Cluster,
  name: string,
  deed: PerformedAction | undefined,
): Promise<Check[]> {
  const node = await read<Node>(cluster, { kind: "node", name });
  const { operation } = deed ?? {};
  switch (operation?.kind) {
    case "kubernetes.cordon":
      return [schedulableFact(node, false)];
    case "kubernetes.drain":
      return [schedulableFact(node, false), await emptyFact(cluster, name, operation.parameters)];
    case "kubernetes.uncordon":
      return [schedulableFact(node, true), readyFact(node)];
    default:
      return [readyFact(node), pressureFact(node), schedulableFact(node, true)];
  }
}
