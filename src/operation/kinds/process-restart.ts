import { z } from "zod";
import { defineOperation, noParameters, ON_HOST } from "../kind.ts";
import { process } from "../names.ts";
import { targetInWords } from "../words.ts";

export const processRestart = defineOperation({
  schema: z.strictObject({ kind: z.literal("process.restart"), target: process, parameters: noParameters }),
  traits: { ...ON_HOST, tool: "process_restart", downtime: 5, verify: ["process_up", "alert_silent"] },
  title: ({ target }) => `Restart ${targetInWords(target)}`,
  names: { RESTART_PROCESS: ["process"], PROCESS_RESTART: ["process"] },
});
