import { z } from "zod";
import { defineOperation, READ } from "../kind.ts";
import { flag } from "../manual-command.ts";
import { measured, selection } from "../names.ts";
import type { Flags } from "../parse/flags.ts";
import { SELECTORS } from "../parse/kubectl-flags.ts";
import { objectOrSelection } from "../parse/kubectl-selection.ts";
import { plainWord } from "../parse/word.ts";
import { kubectlReadWords, ONE_OR_SELECTION, oneOrSelected, readInWords } from "../selection.ts";

const containersOf = (flags: Flags) => (flags.on("--containers") ? { containers: true } : {});

export const measure = defineOperation({
  schema: z
    .strictObject({
      kind: z.literal("kubernetes.top"),
      target: measured.nullable(),
      parameters: selection.extend({ containers: z.literal(true).optional() }),
    })
    .refine(oneOrSelected, ONE_OR_SELECTION),
  traits: { ...READ, tool: "kubernetes_top" },
  title: (operation) => `Measure ${readInWords(operation)}`,
  command: (operation) => [
    // `kubectl top` takes kind and name as two words.
    ...kubectlReadWords("top", operation, { one: ({ kind, name }) => [kind, name] }),
    ...flag("containers", operation.parameters.containers),
  ],
  kubectl: {
    "top pod": {
      flags: `${SELECTORS} --containers --no-headers --sort-by= --sum --use-protocol-buffers`,
      read: (command) => objectOrSelection(command, [plainWord("pod"), ...command.operands], containersOf),
    },
    "top node": {
      flags: "-l,--selector= --no-headers --show-capacity --sort-by= --use-protocol-buffers",
      read: (command) => objectOrSelection(command, [plainWord("node"), ...command.operands], () => ({})),
    },
  },
});
