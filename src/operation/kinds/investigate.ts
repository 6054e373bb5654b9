import { z } from "zod";
import { operationTarget } from "../../contract/incident.ts";
import { defineOperation, noParameters, READ } from "../kind.ts";
import { targetInWords } from "../words.ts";

export const investigate = defineOperation({
  schema: z.strictObject({
    kind: z.literal("investigate"),
    target: operationTarget.nullable(),
    parameters: noParameters,
  }),
  traits: { ...READ, tool: "investigate" },
  title({ target }) {
    const where = targetInWords(target);
    return where === "" ? "Investigate" : `Investigate ${where}`;
  },
  prefix: "INVESTIGATE",
});
