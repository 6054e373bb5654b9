import { z } from "zod";
import { defineOperation, noParameters, READ } from "../kind.ts";
import { host } from "../names.ts";
import { hostTarget } from "../parse/host-target.ts";
import { targetInWords } from "../words.ts";

export const diagnoseHost = defineOperation({
  schema: z.strictObject({ kind: z.literal("host.diagnose"), target: host, parameters: noParameters }),
  traits: { ...READ, tool: "ssh_diagnose" },
  title: ({ target }) => `Look at processes, disk, memory and load of ${targetInWords(target)}`,
  names: { DIAGNOSE: ["host"], DIAGNOSE_HOST: ["host"], SSH_DIAGNOSE: ["host"] },
  programs: {
    names: ["uptime", "df", "free", "ps", "top", "vmstat"],
    read: (context) => ({ target: hostTarget(context), parameters: {} }),
  },
});
