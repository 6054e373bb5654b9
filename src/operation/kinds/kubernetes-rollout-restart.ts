import { z } from "zod";
import { CHANGE, defineOperation, noParameters, ROLLED_OUT } from "../kind.ts";
import { kubectl } from "../manual-command.ts";
import { WORKLOAD_KINDS, workload } from "../names.ts";
import { FILES, OUTPUT } from "../parse/kubectl-flags.ts";
import { objectTarget } from "../parse/kubectl-objects.ts";
import { targetInWords } from "../words.ts";

export const rolloutRestart = defineOperation({
  schema: z.strictObject({
    kind: z.literal("kubernetes.rollout_restart"),
    target: workload,
    parameters: noParameters,
  }),
  traits: { ...CHANGE, tool: "kubernetes_rollout_restart", verify: ROLLED_OUT },
  title: ({ target }) => `Restart ${targetInWords(target)}, pod by pod`,
  command: ({ target }) => kubectl(["rollout", "restart"], target),
  names: {
    RESTART_DEPLOYMENT: ["deployment"],
    RESTART_STATEFULSET: ["statefulset"],
    RESTART_DAEMONSET: ["daemonset"],
    RESTART_WORKLOAD: WORKLOAD_KINDS,
    ROLLOUT_RESTART: WORKLOAD_KINDS,
    KUBERNETES_ROLLOUT_RESTART: WORKLOAD_KINDS,
  },
  kubectl: {
    "rollout restart": {
      flags: "",
      otherFlags: `${OUTPUT} ${FILES} -l,--selector= --field-manager=`,
      reason: "restarts a workload, pod by pod",
      read: (command) => ({ target: objectTarget(command), parameters: {} }),
    },
  },
});
