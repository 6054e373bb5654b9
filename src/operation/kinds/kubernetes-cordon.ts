import { z } from "zod";
import { CHANGE, defineOperation, noParameters } from "../kind.ts";
import { clusterOptions } from "../manual-command.ts";
import { node } from "../names.ts";
import { DRY_RUN } from "../parse/kubectl-flags.ts";
import { nodeTarget } from "../parse/kubectl-objects.ts";
import { targetInWords } from "../words.ts";

export const cordon = defineOperation({
  schema: z.strictObject({ kind: z.literal("kubernetes.cordon"), target: node, parameters: noParameters }),
  traits: {
    ...CHANGE,
    tool: "kubernetes_cordon",
    undo: "kubernetes.uncordon",
    verify: ["node_unschedulable"],
  },
  title: ({ target }) => `Keep new pods off ${targetInWords(target)}`,
  command: ({ target }) => ["kubectl", "cordon", target.name, ...clusterOptions(target)],
  names: { CORDON_NODE: ["node"], KUBERNETES_CORDON: ["node"] },
  kubectl: {
    cordon: {
      flags: "",
      otherFlags: `-l,--selector= ${DRY_RUN}`,
      reason: "cordons a node",
      read: (command) => ({ target: nodeTarget(command), parameters: {} }),
    },
  },
});
