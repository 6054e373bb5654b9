import { z } from "zod";
import { defineOperation, noParameters, ON_HOST } from "../kind.ts";
import { container, host } from "../names.ts";
import { targetInWords } from "../words.ts";

export const clearDockerLogs = defineOperation({
  schema: z.strictObject({
    kind: z.literal("host.clear_docker_logs"),
    /** A host means every container on it. */
    target: z.union([container, host]),
    parameters: noParameters,
  }),
  traits: {
    ...ON_HOST,
    tool: "ssh_clear_docker_logs",
    data_impact: "DESTRUCTIVE",
    verify: ["disk_freed", "alert_silent"],
  },
  title: ({ target }) =>
    target.kind === "host"
      ? `Empty the logs of every container on ${target.name}`
      : `Empty the logs of ${targetInWords(target)}`,
  names: { CLEAR_DOCKER_LOGS: ["container", "host"], SSH_CLEAR_DOCKER_LOGS: ["container", "host"] },
});
