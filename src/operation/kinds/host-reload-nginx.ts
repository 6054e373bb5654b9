import { z } from "zod";
import { defineOperation, noParameters, ON_HOST } from "../kind.ts";
import { onHost } from "../manual-command.ts";
import { host } from "../names.ts";
import { hostTarget } from "../parse/host-target.ts";

export const reloadNginx = defineOperation({
  schema: z.strictObject({ kind: z.literal("host.reload_nginx"), target: host, parameters: noParameters }),
  traits: { ...ON_HOST, tool: "ssh_reload_nginx", risk: "low", verify: ["unit_active", "alert_silent"] },
  title: ({ target }) => `Reload nginx on ${target.name}`,
  command: ({ target }) => onHost(target.name, "sudo", "systemctl", "reload", "nginx"),
  names: { RELOAD_NGINX: ["host"], SSH_RELOAD_NGINX: ["host"] },
  systemctl: {
    reload: {
      reason: "reloads nginx",
      read({ operands, context }) {
        const [unit, ...others] = operands;
        const isNginx = unit?.unknown === null && /^nginx(\.service)?$/.test(unit.text);
        return isNginx && others.length === 0 ? { target: hostTarget(context), parameters: {} } : null;
      },
    },
  },
});
