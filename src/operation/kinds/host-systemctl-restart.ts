import { z } from "zod";
import { defineOperation, noParameters, ON_HOST } from "../kind.ts";
import { onHost } from "../manual-command.ts";
import { unit } from "../names.ts";
import { targetOnHost } from "../parse/host-target.ts";
import { targetInWords } from "../words.ts";

export const systemctlRestart = defineOperation({
  schema: z.strictObject({
    kind: z.literal("host.systemctl_restart"),
    target: unit,
    parameters: noParameters,
  }),
  traits: {
    ...ON_HOST,
    tool: "ssh_systemctl_restart",
    downtime: 10,
    verify: ["unit_active", "alert_silent"],
  },
  title: ({ target }) => `Restart ${targetInWords(target)}`,
  command: ({ target }) => onHost(target.host, "sudo", "systemctl", "restart", target.name),
  names: { RESTART_SERVICE: ["unit"], SYSTEMCTL_RESTART: ["unit"], SSH_SYSTEMCTL_RESTART: ["unit"] },
  systemctl: {
    restart: {
      reason: "restarts a service",
      read: (command) => ({ target: targetOnHost(command, "unit"), parameters: {} }),
    },
  },
});
