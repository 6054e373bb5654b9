import { z } from "zod";
import { defineOperation, READ } from "../kind.ts";
import { readable, selection } from "../names.ts";
import { EITHER, kubectlRead, oneOrSelected, readInWords } from "../selection.ts";

export const getObject = defineOperation({
  schema: z
    .strictObject({
      kind: z.literal("kubernetes.get"),
      target: readable.nullable(),
      parameters: selection,
    })
    .refine(oneOrSelected, EITHER),
  traits: { ...READ, tool: "kubernetes_get" },
  title: (operation) => `Read ${readInWords(operation)}`,
  command: (operation) => kubectlRead("get", operation),
});
