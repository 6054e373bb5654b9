import { z } from "zod";
import { flag, option } from "../command.ts";
import { defineOperation, READ } from "../kind.ts";
import { containerOfPod, logged, selection } from "../names.ts";
import { EITHER, kubectlRead, oneOrSelected, readInWords } from "../selection.ts";

export const readLogs = defineOperation({
  schema: z
    .strictObject({
      kind: z.literal("kubernetes.logs"),
      target: logged.nullable(),
      parameters: selection.extend({
        container: containerOfPod.optional(),
        all_containers: z.literal(true).optional(),
        /** Read the logs of the previous container instance. */
        previous: z.literal(true).optional(),
        /** Number of lines from the end. */
        tail: z.number().int().min(0).max(1_000_000).optional(),
        since_seconds: z.number().int().min(1).max(31_536_000).optional(),
      }),
    })
    .refine(oneOrSelected, EITHER),
  traits: { ...READ, tool: "kubernetes_logs" },
  title: (operation) => `Read the logs of ${readInWords(operation)}`,
  command(operation) {
    const { container, all_containers, previous, tail, since_seconds } = operation.parameters;
    return [
      // `kubectl logs` with a selector takes no resource: it always reads pods.
      ...kubectlRead("logs", operation, { all: () => [] }),
      ...option("container", container),
      ...flag("all-containers", all_containers),
      ...flag("previous", previous),
      ...option("tail", tail),
      ...option("since", since_seconds === undefined ? undefined : `${since_seconds}s`),
    ];
  },
});
