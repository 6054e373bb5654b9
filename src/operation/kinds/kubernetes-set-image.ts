import { z } from "zod";
import { CHANGE, defineOperation, ROLLED_OUT } from "../kind.ts";
import { kubectl, pairs } from "../manual-command.ts";
import { containerOfPod, workload } from "../names.ts";
import { DRY_RUN, FILES, OUTPUT } from "../parse/kubectl-flags.ts";
import { objectTarget } from "../parse/kubectl-objects.ts";
import { byName, nameAndValue } from "../parse/values.ts";
import { requireKnown, type Word } from "../parse/word.ts";
import { image } from "../patch.ts";
import { pairsInWords, targetInWords } from "../words.ts";

const isPair = (word: Word) => word.text.includes("=");

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
  incompleteNames: { SET_IMAGE: "which image" },
  kubectl: {
    "set image": {
      flags: "",
      otherFlags: `${OUTPUT} ${FILES} -l,--selector= ${DRY_RUN} --all --field-manager= --local`,
      reason: "changes images",
      read(command) {
        const images = command.operands
          .filter(isPair)
          .map((word) => nameAndValue(requireKnown(word, "an image")));
        const object = { ...command, operands: command.operands.filter((word) => !isPair(word)) };
        const target = objectTarget(object);
        return { target, parameters: { images: byName(images, "an image (container=image)") } };
      },
    },
  },
});
