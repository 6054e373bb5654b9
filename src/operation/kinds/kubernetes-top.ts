import { z } from "zod";
import { flag } from "../command.ts";
import { defineOperation, READ } from "../kind.ts";
import { measured, selection } from "../names.ts";
import { EITHER, kubectlRead, oneOrSelected, readInWords } from "../selection.ts";

export const measure = defineOperation({
  schema: z
    .strictObject({
      kind: z.literal("kubernetes.top"),
      target: measured.nullable(),
      parameters: selection.extend({ containers: z.literal(true).optional() }),
    })
    .refine(oneOrSelected, EITHER),
  traits: { ...READ, tool: "kubernetes_top" },
  title: (operation) => `Measure ${readInWords(operation)}`,
  command: (operation) => [
    // `kubectl top` takes kind and name as two words.
    ...kubectlRead("top", operation, { one: ({ kind, name }) => [kind, name] }),
    ...flag("containers", operation.parameters.containers),
  ],
});
