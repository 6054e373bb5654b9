import { z } from "zod";
import { onHost } from "../command.ts";
import { defineOperation, ON_HOST } from "../kind.ts";
import { composeProject, composeService } from "../names.ts";
import { targetInWords } from "../words.ts";

export const dockerComposeRestart = defineOperation({
  schema: z.strictObject({
    kind: z.literal("host.docker_compose_restart"),
    target: composeService,
    /** Absent: a configured project that has the service, else the only one that has it. */
    parameters: z.strictObject({ project: composeProject.optional() }),
  }),
  traits: {
    ...ON_HOST,
    tool: "ssh_docker_compose_restart",
    downtime: 10,
    verify: ["container_running", "alert_silent"],
  },
  title: ({ target }) => `Restart ${targetInWords(target)}`,
  command: ({ target, parameters: { project } }) => {
    const inProject = project === undefined ? [] : ["-p", project];
    return onHost(target.host, "docker", "compose", ...inProject, "restart", target.name);
  },
});
