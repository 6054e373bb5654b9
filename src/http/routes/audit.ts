import { z } from "zod";
import { authorise } from "../../access/index.ts";
import { entriesBefore, verifyChain } from "../../audit/index.ts";
import { wireId, wireText, wireTime } from "../../contract/common.ts";
import { auditEntry, auditRange, auditReport } from "../../contract/system.ts";
import { AwoooiError } from "../../lib/error.ts";
import { Semaphore } from "../../lib/semaphore.ts";
import type { ApiApp } from "../fastify.ts";

const query = z.object({
  limit: z.coerce.number().int().min(1).max(200).default(50),
  cursor: z.coerce.number().int().min(1).max(Number.MAX_SAFE_INTEGER).optional(),
  actor: wireText(200).optional(),
  action: wireText(100).optional().describe("One, or a group: `approval` for `approval.signed` and others"),
  subject: wireText(500).optional(),
  incident_id: wireId.optional().describe("Entries of this incident"),
  since: wireTime.optional(),
  until: wireTime.optional(),
});
const page = z.object({ items: z.array(auditEntry), next_cursor: z.string().nullable() });

// Each verification reads and hashes the whole ledger, so one runs at a time and this many may wait.
const WAITING = 3;
const WAIT_MS = 10_000;

export function auditRoutes(app: ApiApp): void {
  const verifying = new Semaphore(1, WAITING);
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
      const { limit, cursor, since, until, ...names } = request.query;
      const rows = await entriesBefore(ctx, cursor, limit + 1, {
        ...names,
        since: since === undefined ? undefined : new Date(since),
        until: until === undefined ? undefined : new Date(until),
      });
      const items = rows.slice(0, limit).map((row) => ({ ...row, at: row.at.toISOString() }));
      const last = items.at(-1);
      return { items, next_cursor: rows.length > limit && last !== undefined ? String(last.seq) : null };
    },
  );

  app.get(
    "/audit/verify",
    {
      schema: {
        summary: "Verify the ledger's hash chain from `from` on, at most 100,000 entries",
        description:
          "Continue from `next`; with the `head` of the previous answer, inserted entries are detected too. Calls run one at a time, others wait.",
        querystring: auditRange,
        response: { 200: auditReport },
      },
    },
    async ({ ctx, query: { from, head, limit } }) => {
      authorise(ctx.actor, "verify the audit ledger", { people: "viewer" });
      const done = await verifying.take(WAIT_MS);
      if (done === null) {
        const text = "The ledger is already being verified; try again.";
        throw new AwoooiError("overloaded", text, { retryAfter: 10 });
      }
      return verifyChain(ctx, { from, head, most: limit }).finally(done);
    },
  );
}
