import { z } from "zod";
import { onHost } from "../command.ts";
import { defineOperation, nothing, ON_HOST } from "../kind.ts";
import { host } from "../names.ts";

export const reloadNginx = defineOperation({
  schema: z.strictObject({ kind: z.literal("host.reload_nginx"), target: host, parameters: nothing }),
  traits: { ...ON_HOST, tool: "ssh_reload_nginx", risk: "low", verify: ["unit_active", "alert_silent"] },
  title: ({ target }) => `Reload nginx on ${target.name}`,
  command: ({ target }) => onHost(target.name, "sudo", "systemctl", "reload", "nginx"),
});
