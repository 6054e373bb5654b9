import { z } from "zod";
import { redactNamed } from "../../lib/redact.ts";
import { kubectl } from "../command.ts";
import { CHANGE, defineOperation, ROLLED_OUT } from "../kind.ts";
import { patchable } from "../names.ts";
import { autoscalerPatch, changesAnything, workloadPatch } from "../patch.ts";
import { targetInWords } from "../words.ts";

const patch = z.union([workloadPatch, autoscalerPatch]).refine(changesAnything, "changes nothing");

/** Returns the patch without the values of environment variables whose names mark them as secret. */
function redactedPatch(given: z.output<typeof patch>): z.output<typeof patch> {
  const shown = structuredClone(given);
  const containers = "template" in shown.spec ? (shown.spec.template?.spec?.containers ?? []) : [];
  for (const { env = [] } of containers)
    for (const variable of env) variable.value = redactNamed(variable.name, variable.value);
  return shown;
}

export const patchObject = defineOperation({
  schema: z
    .strictObject({
      kind: z.literal("kubernetes.patch"),
      target: patchable,
      parameters: z.strictObject({ patch }),
    })
    .refine(
      (one) =>
        (one.target.kind === "horizontalpodautoscaler" ? autoscalerPatch : workloadPatch).safeParse(
          one.parameters.patch,
        ).success && !(one.target.kind === "daemonset" && "replicas" in one.parameters.patch.spec),
      "is not a patch of what such an object may have changed",
    ),
  traits: {
    ...CHANGE,
    tool: "kubernetes_patch",
    risk: "high",
    data_impact: "WRITE",
    undo: "kubernetes.patch",
    verify: ROLLED_OUT,
  },
  title: ({ target, parameters }) =>
    `Patch ${targetInWords(target)}: ${JSON.stringify(redactedPatch(parameters.patch))}`,
  command: ({ target, parameters }) => kubectl(["patch"], target, ["-p", JSON.stringify(parameters.patch)]),
  redacted: (operation) => ({
    ...operation,
    parameters: { patch: redactedPatch(operation.parameters.patch) },
  }),
});
