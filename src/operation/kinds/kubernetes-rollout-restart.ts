import { z } from "zod";
import { kubectl } from "../command.ts";
import { CHANGE, defineOperation, nothing, ROLLED_OUT } from "../kind.ts";
import { workload } from "../names.ts";
import { targetInWords } from "../words.ts";

export const rolloutRestart = defineOperation({
  schema: z.strictObject({
    kind: z.literal("kubernetes.rollout_restart"),
    target: workload,
    parameters: nothing,
  }),
  traits: { ...CHANGE, tool: "kubernetes_rollout_restart", verify: ROLLED_OUT },
  title: ({ target }) => `Restart ${targetInWords(target)}, pod by pod`,
  command: ({ target }) => kubectl(["rollout", "restart"], target),
});
