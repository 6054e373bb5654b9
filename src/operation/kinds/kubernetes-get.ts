import { z } from "zod";
import { defineOperation, READ } from "../kind.ts";
import { readable, selection } from "../names.ts";
import { FILES, SELECTORS } from "../parse/kubectl-flags.ts";
import { objectOrSelection } from "../parse/kubectl-selection.ts";
import { kubectlReadWords, ONE_OR_SELECTION, oneOrSelected, readInWords } from "../selection.ts";

export const getObject = defineOperation({
  schema: z
    .strictObject({
      kind: z.literal("kubernetes.get"),
      target: readable.nullable(),
      parameters: selection,
    })
    .refine(oneOrSelected, ONE_OR_SELECTION),
  traits: { ...READ, tool: "kubernetes_get" },
  title: (operation) => `Read ${readInWords(operation)}`,
  command: (operation) => kubectlReadWords("get", operation),
  kubectl: {
    get: {
      flags: `-o,--output= --show-managed-fields ${SELECTORS} --chunk-size= --ignore-not-found -L,--label-columns=
        --no-headers --show-kind --show-labels --sort-by=`,
      otherFlags: `--template= --allow-missing-template-keys ${FILES} --output-watch-events --raw=
        --server-print --subresource= -w,--watch --watch-only --export`,
      read: (command) => objectOrSelection(command, command.operands, () => ({})),
    },
  },
});
