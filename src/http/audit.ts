import { z } from "zod";
import { authorise } from "../access/index.ts";
import { entriesBefore, verifyChain } from "../audit/index.ts";
import { auditEntry, auditReport } from "../contract/system.ts";
import type { ApiApp } from "./server.ts";

const query = z.object({
  limit: z.coerce.number().int().min(1).max(200).default(50),
  cursor: z.coerce.number().int().min(1).optional(),
});
const page = z.object({ items: z.array(auditEntry), next_cursor: z.string().nullable() });

export function auditRoutes(app: ApiApp): void {
  app.get(
    "/audit",
    {
      schema: {
        "x-role": "admin",
        summary: "Entries of the audit ledger, newest first",
        querystring: query,
        response: { 200: page },
      },
    },
    async (request) => {
      const { ctx } = request;
      authorise(ctx.actor, "read the audit ledger", { people: "admin" });
      const { limit, cursor } = request.query;
      const rows = await entriesBefore(ctx, cursor, limit + 1);
      const items = rows.slice(0, limit).map((row) => ({ ...row, at: row.at.toISOString() }));
      const last = items.at(-1);
      return { items, next_cursor: rows.length > limit && last !== undefined ? String(last.seq) : null };
    },
  );

  app.get(
    "/audit/verify",
    { schema: { summary: "Recompute the ledger's chain of hashes", response: { 200: auditReport } } },
    async ({ ctx }) => {
      authorise(ctx.actor, "verify the audit ledger", { people: "viewer" });
      return verifyChain(ctx);
    },
  );
}
