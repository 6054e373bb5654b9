import type { FastifyInstance, FastifyReply } from "fastify";
import type { z } from "zod";
import { type PostableSilence, postableSilence, silenceFilter } from "../../contract/alertmanager.ts";
import { wireId } from "../../contract/common.ts";
import type { Matcher } from "../../contract/matcher.ts";
import type { Ctx } from "../../db/ctx.ts";
import { AwoooiError, ERRORS, type ErrorCode } from "../../lib/error.ts";
import { compileMatchers, parseMatchers } from "../../lib/matchers.ts";
import {
  allSilences,
  endSilence,
  getSilence,
  replaceSilence,
  type SilenceRow,
  silence,
  statusOf,
} from "../../silence/index.ts";
import type { StreamedLists } from "../streamed-list.ts";
import type { HttpDeps } from "../types.ts";
import { authenticateClient, authenticateReader } from "./authenticate.ts";

const STATES = ["active", "pending", "expired"] as const;

/** Returns a silence in Alertmanager's form. */
function gettable(row: SilenceRow, now: Date) {
  return {
    id: row.silence_id,
    status: { state: statusOf(row, now) },
    updatedAt: row.updated_at.toISOString(),
    comment: row.comment,
    createdBy: row.created_by,
    endsAt: row.ends_at.toISOString(),
    matchers: row.matchers.map(({ name, value, is_regex, is_equal }) => ({
      isEqual: is_equal,
      isRegex: is_regex,
      name,
      value,
    })),
    startsAt: row.starts_at.toISOString(),
  };
}

/** Sorts silences: active ones by their end, then pending ones by their start, then expired ones, latest first. */
function inOrder(rows: readonly SilenceRow[], now: Date): SilenceRow[] {
  const rank = (row: SilenceRow) => STATES.indexOf(statusOf(row, now));
  const time = (row: SilenceRow) =>
    ({ active: row.ends_at, pending: row.starts_at, expired: row.ends_at })[statusOf(row, now)].getTime();
  const sign = (row: SilenceRow) => (statusOf(row, now) === "expired" ? -1 : 1);
  return [...rows].sort((a, b) => rank(a) - rank(b) || sign(a) * (time(a) - time(b)));
}

/** Returns the silences whose matchers' values, by label name, fit all filters; each filter is a matcher. */
async function filtered(ctx: Ctx, filters: readonly string[]): Promise<SilenceRow[]> {
  const fits = compileMatchers(filters.flatMap((text) => parseMatchers(text)));
  const rows = await allSilences(ctx);
  return rows.filter((row) => fits(Object.fromEntries(row.matchers.map(({ name, value }) => [name, value]))));
}

function checked<T extends z.ZodType>(schema: T, value: unknown): z.output<T> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const said = parsed.error.issues.map(({ path, message }) => `${path.join(".")} ${message}`.trim());
  throw new AwoooiError("invalid", said.join("; "));
}

type Named = { Params: { id: string } };

/** Returns the id in a path. Throws `not_found` for one that no silence can have. */
function idIn({ params: { id } }: { params: Named["Params"] }): string {
  if (wireId.safeParse(id).success) return id;
  throw new AwoooiError("not_found", "There is no silence with this id.");
}

/** Creates a silence, or changes the named one; returns its id, a new one where the silence was replaced. */
async function put(ctx: Ctx, body: PostableSilence): Promise<string> {
  const matchers = body.matchers.map(
    ({ name, value, isRegex: is_regex, isEqual: is_equal }): Matcher => ({ name, value, is_regex, is_equal }),
  );
  const { startsAt: starts_at, endsAt: ends_at, comment, id } = body;
  const input = { matchers, starts_at, ends_at, comment };
  const row = id ? await replaceSilence(ctx, id, input) : await silence(ctx, input);
  return row.silence_id;
}

/** Answers an error as Alertmanager does: its status, and a JSON string with the message. */
function answer(reply: FastifyReply, error: { code?: unknown; message: string; statusCode?: number }): void {
  const known = error instanceof AwoooiError ? error.code : undefined;
  const own: Partial<Record<ErrorCode, number>> = { invalid: 400, expired: 500, conflict: 500 };
  const status = known === undefined ? (error.statusCode ?? 500) : (own[known] ?? ERRORS[known].status);
  if (status === 401) reply.header("www-authenticate", 'Basic realm="awoooi", Bearer');
  // Alertmanager answers 404 with an empty body.
  if (known === "not_found") reply.status(404).type("application/json").send("");
  else reply.status(status).type("application/json").send(JSON.stringify(error.message));
}

/** Registers Alertmanager's API v2 for silences, so that `amtool` and other clients work with AWOOOI's silences. */
export function alertmanagerSilences(app: FastifyInstance, deps: HttpDeps, lists: StreamedLists): void {
  const schema = { hide: true };
  app.decorateRequest("ctx");
  app.addHook("onRequest", async (request) => {
    const reads = request.method === "GET" || request.method === "HEAD";
    request.ctx = await (reads ? authenticateReader : authenticateClient)(request, deps);
  });
  const inherited = app.errorHandler;
  app.setErrorHandler((error: Error & { statusCode?: number }, request, reply) => {
    const expected = error instanceof AwoooiError || (error.statusCode ?? 500) < 500;
    // An unexpected error is logged, and answered with its reference only, as in the rest of the API.
    if (expected) answer(reply, error);
    else inherited(error as never, request, reply);
  });
  app.get("/silences", { schema }, async ({ ctx, query }) => {
    const now = ctx.clock.now();
    const { filter } = checked(silenceFilter, query);
    return lists.whole(async () =>
      inOrder(await filtered(ctx, filter), now).map((row) => gettable(row, now)),
    );
  });
  app.post("/silences", { schema }, async ({ ctx, body }) => ({
    silenceID: await put(ctx, checked(postableSilence, body)),
  }));
  app.get<Named>("/silence/:id", { schema }, async (request) =>
    gettable(await getSilence(request.ctx, idIn(request)), request.ctx.clock.now()),
  );
  app.delete<Named>("/silence/:id", { schema }, async (request, reply) => {
    await endSilence(request.ctx, { silence_id: idIn(request) });
    return reply.status(200).type("application/json").send("");
  });
}
