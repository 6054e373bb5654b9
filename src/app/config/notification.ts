import { z } from "zod";
import { receiversNamed, routeSetting } from "../../notification/index.ts";
import { NOTIFIERS } from "../adapters.ts";

const settings: Record<never, never> = Object.assign({}, ...NOTIFIERS.map((kind) => kind.settings));

/** The section `notification`: channels and routes. The settings of notifiers come from their kinds. */
export const notificationSchema = z
  .strictObject({
    enabled: z.boolean().default(true),
    ...settings,
    routes: z
      .array(routeSetting)
      .default([])
      .describe(
        "which channels get the notices of which incidents; without routes every channel gets all. Routes are a tree, as in Alertmanager, and each alert of an incident is matched: at each level the first route that matches wins, and after one with `continue: true` the next ones are tried too. An alert that matches no route goes to every channel. Channels: log (the terminal), webhook, and the names of webhooks",
      ),
  })
  .prefault({})
  .superRefine((section, check) => {
    const channels = NOTIFIERS.flatMap((kind) => kind.channels(section));
    const taken = new Set(NOTIFIERS.map(({ id }) => id));
    for (const { name, path } of channels) {
      if (path !== null && taken.has(name))
        check.addIssue({ code: "custom", path: [...path], message: `there is another channel ${name}` });
      taken.add(name);
    }
    const there = channels.map(({ name }) => name);
    for (const name of new Set(receiversNamed(section.routes))) {
      if (there.includes(name)) continue;
      const message = `there is no channel ${name}; there are ${there.join(", ") || "none"}`;
      check.addIssue({ code: "custom", path: ["routes"], message });
    }
  });
