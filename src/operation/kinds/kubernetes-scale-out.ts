import { z } from "zod";
import { CHANGE, defineOperation } from "../kind.ts";
import { kubectl, option } from "../manual-command.ts";
import { scalable } from "../names.ts";
import { targetInWords } from "../words.ts";

export const scaleOut = defineOperation({
  schema: z.strictObject({
    kind: z.literal("kubernetes.scale_out"),
    target: scalable,
    /** A higher replica count is left as it is. */
    parameters: z.strictObject({ at_least: z.number().int().min(1).max(1_000) }),
  }),
  traits: {
    ...CHANGE,
    tool: "kubernetes_scale",
    risk: "low",
    undo: "kubernetes.scale",
    verify: ["replicas_ready", "alert_silent"],
  },
  title: ({ target, parameters: { at_least } }) =>
    `Scale ${targetInWords(target)} out to at least ${at_least} replicas`,
  command: ({ target, parameters }) => kubectl(["scale"], target, option("replicas", parameters.at_least)),
  // kubectl has no verb for it: `kubectl scale` sets the exact number.
  incompleteNames: { SCALE_UP: "to how many replicas", SCALE_OUT: "to how many replicas" },
});
