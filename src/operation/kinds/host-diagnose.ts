import { z } from "zod";
import { defineOperation, nothing, READ } from "../kind.ts";
import { host } from "../names.ts";
import { targetInWords } from "../words.ts";

export const diagnoseHost = defineOperation({
  schema: z.strictObject({ kind: z.literal("host.diagnose"), target: host, parameters: nothing }),
  traits: { ...READ, tool: "ssh_diagnose" },
  title: ({ target }) => `Look at processes, disk, memory and load of ${targetInWords(target)}`,
});
