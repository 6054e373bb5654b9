import { z } from "zod";
import { flag, onHost } from "../command.ts";
import { defineOperation, ON_HOST } from "../kind.ts";
import { host } from "../names.ts";
import { targetInWords } from "../words.ts";

export const dockerPrune = defineOperation({
  schema: z.strictObject({
    kind: z.literal("host.docker_prune"),
    target: host,
    /**
     * Volumes are never removed. `all_images` also removes unused images that have a name; for `builder`, it removes
     * the whole build cache.
     */
    parameters: z
      .strictObject({ what: z.enum(["system", "container", "image", "builder"]), all_images: z.boolean() })
      .refine(({ what, all_images }) => what !== "container" || !all_images, "containers have no images"),
  }),
  traits: {
    ...ON_HOST,
    tool: "ssh_docker_prune",
    scope: "admin",
    risk: "high",
    data_impact: "DESTRUCTIVE",
    verify: ["disk_freed", "alert_silent"],
  },
  title({ target, parameters: { what, all_images } }) {
    const where = targetInWords(target);
    if (what === "builder") return `Remove ${all_images ? "all of " : ""}the build cache of ${where}`;
    const unused = { container: "stopped containers", image: "images", system: "what Docker does not use" }[
      what
    ];
    return `Remove ${unused} from ${where}, volumes excepted${all_images ? ", all unused images too" : ""}`;
  },
  command: ({ target, parameters: { what, all_images } }) =>
    onHost(target.name, "docker", what, "prune", "--force", ...flag("all", all_images)),
});
