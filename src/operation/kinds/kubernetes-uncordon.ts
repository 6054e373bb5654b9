import { z } from "zod";
import { CHANGE, defineOperation, noParameters } from "../kind.ts";
import { clusterOptions } from "../manual-command.ts";
import { node } from "../names.ts";
import { DRY_RUN } from "../parse/kubectl-flags.ts";
import { nodeTarget } from "../parse/kubectl-objects.ts";
import { targetInWords } from "../words.ts";

export const uncordon = defineOperation({
  schema: z.strictObject({ kind: z.literal("kubernetes.uncordon"), target: node, parameters: noParameters }),
  traits: {
    ...CHANGE,
    tool: "kubernetes_uncordon",
    risk: "low",
    undo: "kubernetes.cordon",
    verify: ["node_schedulable"],
  },
  title: ({ target }) => `Let ${targetInWords(target)} take pods again`,
  command: ({ target }) => ["kubectl", "uncordon", target.name, ...clusterOptions(target)],
  names: { UNCORDON_NODE: ["node"], KUBERNETES_UNCORDON: ["node"] },
  kubectl: {
    uncordon: {
      flags: "",
      otherFlags: `-l,--selector= ${DRY_RUN}`,
      reason: "uncordons a node",
      read: (command) => ({ target: nodeTarget(command), parameters: {} }),
    },
  },
});
