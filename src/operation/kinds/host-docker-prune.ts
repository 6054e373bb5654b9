import { z } from "zod";
import { defineOperation, ON_HOST } from "../kind.ts";
import { flag, onHost } from "../manual-command.ts";
import { host } from "../names.ts";
import { hostTarget } from "../parse/host-target.ts";
import { excerpt, refuse } from "../parse/refused.ts";
import type { DockerCommand } from "../parse/tool-command.ts";
import { targetInWords } from "../words.ts";

const ALL = "-a,--all -f,--force";

const prune = (what: string, flags: string, otherFlags: string) => ({
  flags,
  otherFlags,
  reason: "removes what docker does not use",
  read({ verb, flags, operands: [first], context }: DockerCommand) {
    if (first !== undefined) refuse(`${excerpt(first.text)}: docker ${verb} takes no names`);
    return { target: hostTarget(context), parameters: { what, all_images: flags.on("--all") } };
  },
});

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
  incompleteNames: { DOCKER_PRUNE: "of what", SSH_DOCKER_PRUNE: "of what" },
  docker: {
    "system prune": prune("system", ALL, "--filter= --volumes"),
    // Not a real docker command, but people and models write it for `system prune`.
    prune: prune("system", ALL, "--filter= --volumes"),
    "builder prune": prune("builder", ALL, "--filter= --keep-storage="),
    "container prune": prune("container", "-f,--force", "--filter="),
    "image prune": prune("image", ALL, "--filter="),
  },
});
