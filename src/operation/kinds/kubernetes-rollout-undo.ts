import { z } from "zod";
import { kubectl, option } from "../command.ts";
import { CHANGE, defineOperation, ROLLED_OUT } from "../kind.ts";
import { workload } from "../names.ts";
import { targetInWords } from "../words.ts";

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
});
