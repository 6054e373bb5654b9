import { z } from "zod";
import { defineOperation, ON_HOST } from "../kind.ts";
import { onHost } from "../manual-command.ts";
import { composeProject, composeService } from "../names.ts";
import { targetOnHost } from "../parse/host-target.ts";
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
  names: { DOCKER_COMPOSE_RESTART: ["compose_service"], SSH_DOCKER_COMPOSE_RESTART: ["compose_service"] },
  docker: {
    "compose restart": {
      flags: "",
      otherFlags: "--no-deps -t,--timeout=",
      composeFlags: ["--project-name"],
      reason: "restarts a service of docker compose",
      read(command) {
        const project = command.compose.value("--project-name");
        return {
          target: targetOnHost(command, "compose_service"),
          parameters: project === undefined ? {} : { project },
        };
      },
    },
  },
});
