import type { Operation, OperationKind, Traits } from "./types.ts";

const TRAITS: Record<OperationKind, Traits> = {
  "process.restart": {
    tool: "process_restart",
    scope: "write",
    idempotent: true,
    risk: "medium",
    data_impact: "NONE",
    downtime: 5,
  },
  "kubernetes.rollout_restart": {
    tool: "kubernetes_rollout_restart",
    scope: "write",
    idempotent: true,
    risk: "medium",
    data_impact: "NONE",
    downtime: 0,
  },
  "kubernetes.rollout_undo": {
    tool: "kubernetes_rollout_undo",
    scope: "write",
    // A second undo goes back to where the first one came from.
    idempotent: false,
    risk: "critical",
    data_impact: "WRITE",
    downtime: 0,
  },
  "kubernetes.scale_out": {
    tool: "kubernetes_scale",
    scope: "write",
    idempotent: true,
    risk: "low",
    data_impact: "NONE",
    downtime: 0,
  },
  investigate: {
    tool: "investigate",
    scope: "read",
    idempotent: true,
    risk: "low",
    data_impact: "READ_ONLY",
    downtime: 0,
  },
};

export function traitsOf(operation: Pick<Operation, "kind">): Traits {
  return TRAITS[operation.kind];
}

/** Whether doing it changes anything. */
export function changesSomething(operation: Operation): boolean {
  return traitsOf(operation).scope !== "read";
}

/** The operation in words, as a card's title: `Restart process demo-shop`. */
export function inWords(operation: Operation): string {
  const { target } = operation;
  const name = target === null ? "" : `${target.kind} ${target.name}`;
  const where = target?.namespace === undefined ? name : `${name} in ${target.namespace}`;
  switch (operation.kind) {
    case "process.restart":
      return `Restart ${where}`;
    case "kubernetes.rollout_restart":
      return `Restart ${where}, pod by pod`;
    case "kubernetes.rollout_undo":
      return `Roll ${where} back to the revision before`;
    case "kubernetes.scale_out":
      return `Scale ${where} out to at least ${operation.parameters.at_least} replicas`;
    case "investigate":
      return target === null ? "Investigate" : `Investigate ${where}`;
  }
}

/** How a person would do it by hand, for people to read: it is never run. Null where there is no one command. */
export function byHand(operation: Operation): string | null {
  const { kind, target } = operation;
  const namespace = target?.namespace === undefined ? "" : ` -n ${target.namespace}`;
  switch (kind) {
    case "kubernetes.rollout_restart":
      return `kubectl rollout restart ${operation.target.kind}/${operation.target.name}${namespace}`;
    case "kubernetes.rollout_undo":
      return `kubectl rollout undo ${operation.target.kind}/${operation.target.name}${namespace}`;
    case "kubernetes.scale_out":
      return `kubectl scale ${operation.target.kind}/${operation.target.name}${namespace} --replicas=${operation.parameters.at_least}`;
    default:
      return null;
  }
}
