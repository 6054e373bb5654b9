import { z } from "zod";
import { defineOperation, noParameters, ON_HOST } from "../kind.ts";
import { onHost } from "../manual-command.ts";
import { container } from "../names.ts";
import { targetOnHost } from "../parse/host-target.ts";
import type { DockerCommand } from "../parse/tool-command.ts";
import { targetInWords } from "../words.ts";

const RESTART = {
  flags: "",
  otherFlags: "-s,--signal= -t,--time,--timeout=",
  reason: "restarts a container",
  read: (command: DockerCommand) => ({ target: targetOnHost(command, "container"), parameters: {} }),
};

export const dockerRestart = defineOperation({
  schema: z.strictObject({
    kind: z.literal("host.docker_restart"),
    target: container,
    parameters: noParameters,
  }),
  traits: {
    ...ON_HOST,
    tool: "ssh_docker_restart",
    downtime: 10,
    verify: ["container_running", "alert_silent"],
  },
  title: ({ target }) => `Restart ${targetInWords(target)}`,
  command: ({ target }) => onHost(target.host, "docker", "restart", target.name),
  names: {
    RESTART_CONTAINER: ["container"],
    DOCKER_RESTART: ["container"],
    SSH_DOCKER_RESTART: ["container"],
  },
  docker: { restart: RESTART, "container restart": RESTART },
});
