import { z } from "zod";
import { redactNamed } from "../../lib/redact.ts";
import { CHANGE, defineOperation, ROLLED_OUT } from "../kind.ts";
import { kubectl } from "../manual-command.ts";
import { patchable } from "../names.ts";
import { DRY_RUN, FILES, OUTPUT } from "../parse/kubectl-flags.ts";
import { objectTarget } from "../parse/kubectl-objects.ts";
import { excerpt, refuse } from "../parse/refused.ts";
import type { KubectlCommand } from "../parse/tool-command.ts";
import { autoscalerPatch, changesAnything, workloadPatch } from "../patch.ts";
import { targetInWords } from "../words.ts";

const patch = z.union([workloadPatch, autoscalerPatch]).refine(changesAnything, "changes nothing");

/** Returns the schema of a patch of an object of this kind. */
const patchOf = (kind: string) => (kind === "horizontalpodautoscaler" ? autoscalerPatch : workloadPatch);

/** Returns the patch without the values of environment variables whose names mark them as secret. */
function redactedPatch(given: z.output<typeof patch>): z.output<typeof patch> {
  const shown = structuredClone(given);
  const containers = "template" in shown.spec ? (shown.spec.template?.spec?.containers ?? []) : [];
  for (const { env = [] } of containers)
    for (const variable of env) variable.value = redactNamed(variable.name, variable.value);
  return shown;
}

/** Reads a patch. Only a strategic merge patch merges lists by name; in other types a list replaces the old one. */
function readPatch(command: KubectlCommand) {
  const { flags } = command;
  const type = flags.value("--type") ?? "strategic";
  const text = flags.value("--patch");
  if (text === undefined) refuse("kubectl patch has no patch (-p)");
  let content: unknown;
  const keys = new Set<string>();
  try {
    content = JSON.parse(text, (key, value: unknown) => {
      keys.add(key);
      return value;
    });
  } catch {
    refuse(`the patch is not JSON: ${excerpt(text)}`);
  }
  // The key `__proto__` would be lost when the object is copied into the operation.
  if (keys.has("__proto__")) refuse("the patch names __proto__");
  if (type === "json") refuse("--type=json is not supported: give the patch as an object");
  if (type !== "strategic" && type !== "merge") refuse(`${excerpt(type)} is not a type of patch`);
  if (type === "merge" && text.includes("["))
    refuse("--type=merge replaces whole lists: use the strategic type");
  const target = objectTarget(command);
  const [issue] = patchOf(target.kind).safeParse(content).error?.issues ?? [];
  if (issue !== undefined) {
    refuse(`this patch is not allowed: ${issue.path.join(".")} ${issue.message}`);
  }
  return { target, parameters: { patch: content } };
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
        patchOf(one.target.kind).safeParse(one.parameters.patch).success &&
        !(one.target.kind === "daemonset" && "replicas" in one.parameters.patch.spec),
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
  incompleteNames: { PATCH: "with what" },
  kubectl: {
    patch: {
      flags: "-p,--patch= --type=",
      otherFlags: `${OUTPUT} ${FILES} ${DRY_RUN} --field-manager= --local --patch-file= --subresource=`,
      reason: "changes by a patch",
      read: readPatch,
    },
  },
});
