import { z } from "zod";
import { CHANGE, defineOperation } from "../kind.ts";
import { clusterOptions, flag } from "../manual-command.ts";
import { node } from "../names.ts";
import { DRY_RUN } from "../parse/kubectl-flags.ts";
import { nodeTarget } from "../parse/kubectl-objects.ts";
import { targetInWords } from "../words.ts";

export const drain = defineOperation({
  schema: z.strictObject({
    kind: z.literal("kubernetes.drain"),
    target: node,
    parameters: z.strictObject({
      ignore_daemonsets: z.boolean(),
      /** Pods lose the data of their emptyDir volumes; if false, such a pod stops the drain. */
      delete_emptydir_data: z.boolean(),
    }),
  }),
  traits: {
    ...CHANGE,
    tool: "kubernetes_drain",
    risk: "high",
    data_impact: "WRITE",
    downtime: 60,
    // The undo lets the node take pods again; evicted pods do not move back.
    undo: "kubernetes.uncordon",
    verify: ["node_unschedulable", "node_empty"],
  },
  title({ target, parameters }) {
    const loses = parameters.delete_emptydir_data ? ", with the loss of their emptyDir data" : "";
    return `Move all pods off ${targetInWords(target)}${loses}`;
  },
  command: ({ target, parameters: { ignore_daemonsets, delete_emptydir_data } }) => [
    ...["kubectl", "drain", target.name, ...clusterOptions(target)],
    ...flag("ignore-daemonsets", ignore_daemonsets),
    ...flag("delete-emptydir-data", delete_emptydir_data),
  ],
  incompleteNames: { DRAIN_NODE: "what becomes of daemon sets and local data" },
  kubectl: {
    drain: {
      flags: "--ignore-daemonsets --delete-emptydir-data --delete-local-data",
      otherFlags: `-l,--selector= ${DRY_RUN} --chunk-size= --disable-eviction --force --grace-period=
        --pod-selector= --skip-wait-for-delete-timeout= --timeout=`,
      reason: "drains a node",
      read(command) {
        const { flags } = command;
        const parameters = {
          ignore_daemonsets: flags.on("--ignore-daemonsets"),
          // The older name of the same flag.
          delete_emptydir_data: flags.on("--delete-emptydir-data") || flags.on("--delete-local-data"),
        };
        return { target: nodeTarget(command), parameters };
      },
    },
  },
});
