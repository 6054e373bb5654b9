import { z } from "zod";
import { CHANGE, defineOperation, ROLLED_OUT } from "../kind.ts";
import { kubectl, option } from "../manual-command.ts";
import { WORKLOAD_KINDS, workload } from "../names.ts";
import type { Flags } from "../parse/flags.ts";
import { DRY_RUN, FILES, OUTPUT } from "../parse/kubectl-flags.ts";
import { objectTarget } from "../parse/kubectl-objects.ts";
import { wholeNumber } from "../parse/values.ts";
import { targetInWords } from "../words.ts";

/** Reads `--to-revision`; for kubectl, 0 means the previous revision. */
function revisionOf(flags: Flags): { to_revision?: number } {
  const text = flags.value("--to-revision");
  const revision = text === undefined ? 0 : wholeNumber(text, "--to-revision");
  return revision === 0 ? {} : { to_revision: revision };
}

export const rolloutUndo = defineOperation({
  schema: z.strictObject({
    kind: z.literal("kubernetes.rollout_undo"),
    target: workload,
    /** Absent: the previous revision. */
    parameters: z.strictObject({ to_revision: z.number().int().min(1).max(2_147_483_647).optional() }),
  }),
  traits: {
    ...CHANGE,
    tool: "kubernetes_rollout_undo",
    // A second undo would return to the revision that the first one left.
    idempotent: false,
    risk: "critical",
    data_impact: "WRITE",
    undo: "kubernetes.rollout_undo",
    verify: ROLLED_OUT,
  },
  title({ target, parameters: { to_revision } }) {
    const to = to_revision === undefined ? "the revision before" : `revision ${to_revision}`;
    return `Roll ${targetInWords(target)} back to ${to}`;
  },
  command: ({ target, parameters }) =>
    kubectl(["rollout", "undo"], target, option("to-revision", parameters.to_revision)),
  names: {
    ROLLBACK_DEPLOYMENT: ["deployment"],
    ROLLBACK: WORKLOAD_KINDS,
    ROLLOUT_UNDO: WORKLOAD_KINDS,
    KUBERNETES_ROLLOUT_UNDO: WORKLOAD_KINDS,
  },
  kubectl: {
    "rollout undo": {
      flags: "--to-revision=",
      otherFlags: `${OUTPUT} ${FILES} -l,--selector= ${DRY_RUN}`,
      reason: "goes back to an earlier revision",
      read: (command) => ({ target: objectTarget(command), parameters: revisionOf(command.flags) }),
    },
  },
});
