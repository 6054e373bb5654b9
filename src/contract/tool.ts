import { z } from "zod";
import { risk } from "./common.ts";

const scope = z.enum(["read", "write", "admin"]);

/** A tool of the gateway: it changes a system or reads from one. */
const tool = z.object({
  /** The gateway's name of the tool; an external one includes its server: `github/create_issue`. */
  tool: z.string(),
  /** The kind of operation that uses it. */
  kind: z.string(),
  provider: z.string(),
  scope,
  risk,
  idempotent: z.boolean(),
  enabled: z.boolean(),
  /** The callers that are granted its scope. */
  granted_to: z.array(z.string()),
  description: z.string().nullable(),
  /** null: that was not tested. */
  reachable: z.boolean().nullable(),
  /** Why it cannot be reached. */
  detail: z.string().nullable(),
});
export type Tool = z.infer<typeof tool>;

export const toolList = z.object({ items: z.array(tool) });
