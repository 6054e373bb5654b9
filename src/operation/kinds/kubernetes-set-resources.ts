import { z } from "zod";
import { kubectl, option, pairs } from "../command.ts";
import { CHANGE, defineOperation, ROLLED_OUT } from "../kind.ts";
import { containerOfPod, workload } from "../names.ts";
import { amounts } from "../patch.ts";
import { pairsInWords, targetInWords } from "../words.ts";

export const setResources = defineOperation({
  schema: z.strictObject({
    kind: z.literal("kubernetes.set_resources"),
    target: workload,
    /** Without `container`: every container. */
    parameters: z
      .strictObject({
        container: containerOfPod.optional(),
        requests: amounts.optional(),
        limits: amounts.optional(),
      })
      .refine((one) => one.requests !== undefined || one.limits !== undefined, "names no resource"),
  }),
  traits: {
    ...CHANGE,
    tool: "kubernetes_set_resources",
    undo: "kubernetes.rollout_undo",
    verify: ROLLED_OUT,
  },
  title({ target, parameters: { container, requests, limits } }) {
    const parts = [
      requests && `requests ${pairsInWords(requests)}`,
      limits && `limits ${pairsInWords(limits)}`,
      container && `container ${container}`,
    ];
    return `Set resources of ${targetInWords(target)}: ${parts.filter(Boolean).join("; ")}`;
  },
  command: ({ target, parameters: { container, requests, limits } }) =>
    kubectl(["set", "resources"], target, [
      ...option("containers", container),
      ...option("requests", requests && pairs(requests).join(",")),
      ...option("limits", limits && pairs(limits).join(",")),
    ]),
});
