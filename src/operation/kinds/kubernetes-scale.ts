import { z } from "zod";
import { CHANGE, defineOperation } from "../kind.ts";
import { kubectl, option } from "../manual-command.ts";
import { scalable } from "../names.ts";
import { DRY_RUN, FILES, OUTPUT } from "../parse/kubectl-flags.ts";
import { objectTarget } from "../parse/kubectl-objects.ts";
import { wholeNumber } from "../parse/values.ts";
import { targetInWords } from "../words.ts";

export const scale = defineOperation({
  schema: z.strictObject({
    kind: z.literal("kubernetes.scale"),
    target: scalable,
    /** The exact count, which may be lower than now; 0 stops the workload. */
    parameters: z.strictObject({ replicas: z.number().int().min(0).max(1_000) }),
  }),
  traits: {
    ...CHANGE,
    tool: "kubernetes_scale",
    // It can scale a workload down to zero.
    risk: "high",
    undo: "kubernetes.scale",
    verify: ["replicas_ready", "alert_silent"],
  },
  title: ({ target, parameters: { replicas } }) =>
    `Scale ${targetInWords(target)} to exactly ${replicas} replicas`,
  command: ({ target, parameters }) => kubectl(["scale"], target, option("replicas", parameters.replicas)),
  incompleteNames: {
    SCALE: "to how many replicas",
    SCALE_DOWN: "to how many replicas",
    SCALE_DEPLOYMENT: "to how many replicas",
  },
  kubectl: {
    scale: {
      flags: "--replicas=",
      otherFlags: `${OUTPUT} ${FILES} -l,--selector= ${DRY_RUN} --all --current-replicas= --resource-version=
        --timeout=`,
      reason: "sets the number of replicas",
      read: (command) => ({
        target: objectTarget(command),
        parameters: { replicas: wholeNumber(command.flags.value("--replicas"), "--replicas") },
      }),
    },
  },
});
