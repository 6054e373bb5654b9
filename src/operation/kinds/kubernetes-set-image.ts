import { z } from "zod";
import { kubectl, pairs } from "../command.ts";
import { CHANGE, defineOperation, ROLLED_OUT } from "../kind.ts";
import { containerOfPod, workload } from "../names.ts";
import { image } from "../patch.ts";
import { pairsInWords, targetInWords } from "../words.ts";

export const setImage = defineOperation({
  schema: z.strictObject({
    kind: z.literal("kubernetes.set_image"),
    target: workload,
    /** Images by container name; `*` means every container. */
    parameters: z.strictObject({
      images: z
        .record(z.union([containerOfPod, z.literal("*")]), image)
        .refine((one) => Object.keys(one).length > 0, "names no image"),
    }),
  }),
  traits: {
    ...CHANGE,
    tool: "kubernetes_set_image",
    risk: "high",
    data_impact: "WRITE",
    undo: "kubernetes.rollout_undo",
    verify: ROLLED_OUT,
  },
  title: ({ target, parameters: { images } }) =>
    `Set images of ${targetInWords(target)}: ${pairsInWords(images)}`,
  command: ({ target, parameters }) => kubectl(["set", "image"], target, pairs(parameters.images)),
});
