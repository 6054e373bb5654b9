import { z } from "zod";
import { CHANGE, defineOperation, noParameters } from "../kind.ts";
import { kubectl } from "../manual-command.ts";
import { pod } from "../names.ts";
import { DRY_RUN, FILES, SELECTORS } from "../parse/kubectl-flags.ts";
import { kindNamed, objectTarget } from "../parse/kubectl-objects.ts";
import { targetInWords } from "../words.ts";

export const deletePod = defineOperation({
  schema: z.strictObject({ kind: z.literal("kubernetes.delete_pod"), target: pod, parameters: noParameters }),
  traits: {
    ...CHANGE,
    tool: "kubernetes_delete_pod",
    // The new pod of a StatefulSet has the same name: a second delete would remove it, too.
    idempotent: false,
    downtime: 30,
    data_impact: "WRITE",
    verify: ["pod_replaced", "restarts_stopped", "alert_silent"],
  },
  title: ({ target }) => `Delete ${targetInWords(target)}, for its owner to replace`,
  command: ({ target }) => kubectl(["delete"], target),
  names: { DELETE_POD: ["pod"], RESTART_POD: ["pod"], KUBERNETES_DELETE_POD: ["pod"] },
  kubectl: {
    delete: {
      flags: "--ignore-not-found",
      otherFlags: `${FILES} ${SELECTORS} ${DRY_RUN} -o,--output= --all --cascade=? --force --grace-period=
        -i,--interactive --now --raw= --timeout= --wait`,
      reason: "deletes a pod",
      read: (command) =>
        (kindNamed(command) ?? "pod") === "pod" ? { target: objectTarget(command), parameters: {} } : null,
    },
  },
});
