import { z } from "zod";
import { CHANGE, defineOperation, ROLLED_OUT } from "../kind.ts";
import { kubectl, option, pairs } from "../manual-command.ts";
import { containerOfPod, workload } from "../names.ts";
import { DRY_RUN, FILES, OUTPUT } from "../parse/kubectl-flags.ts";
import { objectTarget } from "../parse/kubectl-objects.ts";
import { byName, nameAndValue } from "../parse/values.ts";
import { amounts } from "../patch.ts";
import { pairsInWords, targetInWords } from "../words.ts";

/** Reads `cpu=200m,memory=512Mi`. */
function amountsOf(field: "requests" | "limits", text: string | undefined) {
  return text === undefined ? {} : { [field]: byName(text.split(",").map(nameAndValue), field) };
}

export const setResources = defineOperation({
  schema: z.strictObject({
    kind: z.literal("kubernetes.set_resources"),
    target: workload,
    /** Without `container`: every container. */
    parameters: z
      .strictObject({
        container: containerOfPod.optional(),
        requests: amounts.optional(),
        limits: amounts.optional(),
      })
      .refine((one) => one.requests !== undefined || one.limits !== undefined, "names no resource"),
  }),
  traits: {
    ...CHANGE,
    tool: "kubernetes_set_resources",
    undo: "kubernetes.rollout_undo",
    verify: ROLLED_OUT,
  },
  title({ target, parameters: { container, requests, limits } }) {
    const parts = [
      requests && `requests ${pairsInWords(requests)}`,
      limits && `limits ${pairsInWords(limits)}`,
      container && `container ${container}`,
    ];
    return `Set resources of ${targetInWords(target)}: ${parts.filter(Boolean).join("; ")}`;
  },
  command: ({ target, parameters: { container, requests, limits } }) =>
    kubectl(["set", "resources"], target, [
      ...option("containers", container),
      ...option("requests", requests && pairs(requests).join(",")),
      ...option("limits", limits && pairs(limits).join(",")),
    ]),
  incompleteNames: {
    SET_RESOURCES: "which resources",
    INCREASE_MEMORY: "to how much",
    INCREASE_CPU: "to how much",
  },
  kubectl: {
    "set resources": {
      flags: "-c,--containers= --requests= --limits=",
      otherFlags: `${OUTPUT} ${FILES} -l,--selector= ${DRY_RUN} --all --field-manager= --local`,
      reason: "changes resources",
      read(command) {
        const { flags } = command;
        const container = flags.value("--containers");
        return {
          target: objectTarget(command),
          parameters: {
            ...(container === undefined || container === "*" ? {} : { container }),
            ...amountsOf("requests", flags.value("--requests")),
            ...amountsOf("limits", flags.value("--limits")),
          },
        };
      },
    },
  },
});
