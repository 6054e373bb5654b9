import { z } from "zod";
import { defineOperation, READ } from "../kind.ts";
import { flag, option } from "../manual-command.ts";
import { containerOfPod, logged, selection } from "../names.ts";
import type { Flags } from "../parse/flags.ts";
import { objectOrSelection } from "../parse/kubectl-selection.ts";
import type { KubectlCommand } from "../parse/tool-command.ts";
import { plainWord } from "../parse/word.ts";
import { kubectlReadWords, ONE_OR_SELECTION, oneOrSelected, readInWords } from "../selection.ts";

/** Returns seconds; null for a duration that the operation has no field for; undefined for none. */
function seconds(text: string | undefined): number | null | undefined {
  if (text === undefined) return undefined;
  const [, count, unit = ""] = /^(\d{1,9})([smh])$/.exec(text) ?? [];
  return count === undefined ? null : Number(count) * ({ s: 1, m: 60, h: 3_600 }[unit] ?? 1);
}

function parametersOf(flags: Flags) {
  const container = flags.value("--container");
  const [tail, since] = [flags.value("--tail"), seconds(flags.value("--since"))];
  return {
    ...(container === undefined ? {} : { container }),
    ...(flags.on("--all-containers") ? { all_containers: true } : {}),
    ...(flags.on("--previous") ? { previous: true } : {}),
    // For kubectl, -1 means all lines.
    ...(tail === undefined || tail === "-1" ? {} : { tail: Number(tail) }),
    ...(since === undefined ? {} : { since_seconds: since }),
  };
}

/** `kubectl logs` reads pods unless another kind is given. */
function readCommand(command: KubectlCommand) {
  const { operands } = command;
  if (operands.length > 1) return null;
  const named = operands[0]?.text.includes("/") ? operands : [plainWord("pod"), ...operands];
  return objectOrSelection(command, named, parametersOf);
}

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
    .refine(oneOrSelected, ONE_OR_SELECTION),
  traits: { ...READ, tool: "kubernetes_logs" },
  title: (operation) => `Read the logs of ${readInWords(operation)}`,
  command(operation) {
    const { container, all_containers, previous, tail, since_seconds } = operation.parameters;
    return [
      // `kubectl logs` with a selector takes no resource: it always reads pods.
      ...kubectlReadWords("logs", operation, { all: () => [] }),
      ...option("container", container),
      ...flag("all-containers", all_containers),
      ...flag("previous", previous),
      ...option("tail", tail),
      ...option("since", since_seconds === undefined ? undefined : `${since_seconds}s`),
    ];
  },
  kubectl: {
    logs: {
      flags: `-l,--selector= --all-containers -c,--container= --limit-bytes= --prefix -p,--previous --since=
        --tail= --timestamps`,
      otherFlags: `--all-pods -f,--follow --ignore-errors --max-log-requests= --pod-running-timeout=
        --since-time=`,
      read: readCommand,
    },
  },
});
