/**
 * The shipped server, which besides says what it serves and what it holds: its routes, as JSON, into the
 * file FUZZ_ROUTES; its memory after a collection, as a line on its output, at every SIGUSR2.
 */
import { subscribe } from "node:diagnostics_channel";
import { writeFileSync } from "node:fs";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import type { FastifyInstance } from "fastify";
import { z } from "zod";
import { postableSilence } from "../../src/contract/alertmanager.ts";

export type Route = {
  method: string;
  url: string;
  /** JSON Schemas of what it takes; undefined where it takes nothing, or whatever comes. */
  body?: object;
  querystring?: object;
};

const routes: Route[] = [];
/** Bodies of routes that check them themselves. */
const OWN: Record<string, z.ZodType> = { "POST /api/v2/silences": postableSilence };

function described(schema: unknown): object | undefined {
  return schema instanceof z.ZodType
    ? z.toJSONSchema(schema, { unrepresentable: "any", io: "input" })
    : undefined;
}

subscribe("fastify.initialization", (message) => {
  const { fastify } = message as { fastify: FastifyInstance };
  fastify.addHook("onRoute", ({ method, url, schema }) => {
    // Several at once are those that are answered with 405; HEAD comes with every GET.
    if (typeof method !== "string" || method === "HEAD") return;
    const own = OWN[`${method} ${url}`];
    const [body, querystring] = [described(own ?? schema?.body), described(schema?.querystring)];
    routes.push({ method, url, ...(body && { body }), ...(querystring && { querystring }) });
  });
  fastify.addHook("onListen", async () => {
    writeFileSync(process.env.FUZZ_ROUTES as string, JSON.stringify(routes));
  });
});

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;
process.on("SIGUSR2", () => {
  collect();
  const { rss, heapUsed } = process.memoryUsage();
  process.stdout.write(`FUZZ_MEMORY ${JSON.stringify({ rss, heap: heapUsed })}\n`);
});

await import("../../src/main.ts");
