import { z } from "zod";
import { operationTarget } from "../../contract/incident.ts";
import { defineOperation, noParameters, READ } from "../kind.ts";
import { targetInWords } from "../words.ts";

export const doNothing = defineOperation({
  schema: z.strictObject({
    kind: z.literal("none"),
    target: operationTarget.nullable(),
    parameters: noParameters,
  }),
  traits: { ...READ, tool: "none" },
  title({ target }) {
    const where = targetInWords(target);
    return where === "" ? "Do nothing" : `Do nothing about ${where}`;
  },
  prefix: "OBSERVE",
});
