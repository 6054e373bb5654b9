import { z } from "zod";
import { kubectl, option } from "../command.ts";
import { CHANGE, defineOperation } from "../kind.ts";
import { scalable } from "../names.ts";
import { targetInWords } from "../words.ts";

export const scale = defineOperation({
  schema: z.strictObject({
    kind: z.literal("kubernetes.scale"),
    target: scalable,
    /** The exact count, which may be lower than now; 0 stops the workload. */
    parameters: z.strictObject({ replicas: z.number().int().min(0).max(1_000) }),
  }),
  traits: {
    ...CHANGE,
    tool: "kubernetes_scale",
    // It can scale a workload down to zero.
    risk: "high",
    undo: "kubernetes.scale",
    verify: ["replicas_ready", "alert_silent"],
  },
  title: ({ target, parameters: { replicas } }) =>
    `Scale ${targetInWords(target)} to exactly ${replicas} replicas`,
  command: ({ target, parameters }) => kubectl(["scale"], target, option("replicas", parameters.replicas)),
});
