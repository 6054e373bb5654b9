import { pageOf } from "../../contract/common.ts";
import { refusedCalls, refusedQuery, type SourceReport, sourceList } from "../../contract/source.ts";
import type { Ctx } from "../../db/ctx.ts";
import { listRefusedCalls, type SourceCalls, sourceCalls } from "../../intake/index.ts";
import type { ApiApp } from "../fastify.ts";
import type { HttpDeps } from "../types.ts";
import { webhookPath } from "./webhooks.ts";

const NOTHING: SourceCalls = {
  accepted: 0,
  refused: 0,
  dead: 0,
  last_accepted_at: null,
  last_refused_at: null,
  dead_letters: { count: 0, bytes: 0 },
};

/** Lists every configured source, and those of which calls or dead letters are left. */
async function listSources(
  ctx: Ctx,
  { kinds, ids, limits, limited }: HttpDeps["sources"],
): Promise<SourceReport[]> {
  const known = await sourceCalls(ctx);
  return [...new Set([...ids(), ...known.keys()])].sort().map((source) => {
    const { last_accepted_at, last_refused_at, dead_letters, ...counts } = known.get(source) ?? NOTHING;
    return {
      source,
      kind: source.split(":")[0] ?? source,
      path: ids().includes(source) ? webhookPath(kinds, source) : null,
      last_accepted_at: last_accepted_at?.toISOString() ?? null,
      last_refused_at: last_refused_at?.toISOString() ?? null,
      calls: { ...counts, received: counts.accepted + counts.refused },
      dead_letters,
      limits: limits(source),
      limited: limited(source),
    };
  });
}

export function sourceRoutes(app: ApiApp, { sources }: HttpDeps): void {
  app.get(
    "/sources",
    {
      schema: {
        summary: "Sources: calls accepted and refused in the last 24 hours, and limits",
        response: { 200: sourceList },
      },
    },
    async ({ ctx }) => ({ items: await listSources(ctx, sources) }),
  );

  app.get(
    "/sources/refused",
    {
      schema: {
        summary: "Refused calls by source, reason, sender and hour, newest first",
        querystring: refusedQuery,
        response: { 200: pageOf(refusedCalls) },
      },
    },
    async ({ ctx, query }) => listRefusedCalls(ctx, query),
  );
}
