import { z } from "zod";
import { defineOperation, READ } from "../kind.ts";
import { readable, selection } from "../names.ts";
import { EITHER, kubectlRead, oneOrSelected, readInWords } from "../selection.ts";

export const describeObject = defineOperation({
  schema: z
    .strictObject({
      kind: z.literal("kubernetes.describe"),
      target: readable.nullable(),
      parameters: selection,
    })
    .refine(oneOrSelected, EITHER),
  traits: { ...READ, tool: "kubernetes_describe" },
  title: (operation) => `Describe ${readInWords(operation)}`,
  command: (operation) => kubectlRead("describe", operation),
});
