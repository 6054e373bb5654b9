import { z } from "zod";
import { webhook } from "../adapters/notifiers/webhook/index.ts";
import { receiversNamed, routeSetting } from "../notification/index.ts";

/** Who is told, and of what. */
export const notificationSchema = z
  .strictObject({
    enabled: z.boolean().default(true),
    terminal: z.boolean().default(true),
    webhook: webhook.config.optional(),
    webhooks: z.array(webhook.named).default([]),
    routes: z.array(routeSetting).default([]),
  })
  .prefault({})
  .superRefine(({ webhook: hook, webhooks, terminal, routes }, check) => {
    const own = webhooks.map((one) => one.name);
    const channels = ["log", "webhook", ...own];
    own.forEach((name, index) => {
      if (channels.indexOf(name) === index + 2) return;
      const message = `there is another channel ${name}`;
      check.addIssue({ code: "custom", path: ["webhooks", index, "name"], message });
    });
    const there = [...(terminal ? ["log"] : []), ...(hook === undefined ? [] : ["webhook"]), ...own];
    for (const name of new Set(receiversNamed(routes))) {
      if (there.includes(name)) continue;
      const message = `there is no channel ${name}; there are ${there.join(", ") || "none"}`;
      check.addIssue({ code: "custom", path: ["routes"], message });
    }
  });
