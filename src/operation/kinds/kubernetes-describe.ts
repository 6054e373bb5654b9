import { z } from "zod";
import { defineOperation, READ } from "../kind.ts";
import { readable, selection } from "../names.ts";
import { FILES, SELECTORS } from "../parse/kubectl-flags.ts";
import { objectOrSelection } from "../parse/kubectl-selection.ts";
import { kubectlReadWords, ONE_OR_SELECTION, oneOrSelected, readInWords } from "../selection.ts";

export const describeObject = defineOperation({
  schema: z
    .strictObject({
      kind: z.literal("kubernetes.describe"),
      target: readable.nullable(),
      parameters: selection,
    })
    .refine(oneOrSelected, ONE_OR_SELECTION),
  traits: { ...READ, tool: "kubernetes_describe" },
  title: (operation) => `Describe ${readInWords(operation)}`,
  command: (operation) => kubectlReadWords("describe", operation),
  kubectl: {
    describe: {
      flags: `${SELECTORS} --chunk-size= --show-events`,
      otherFlags: FILES,
      read: (command) => objectOrSelection(command, command.operands, () => ({})),
    },
  },
});
