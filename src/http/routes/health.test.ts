import type { FastifyInstance } from "fastify";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Health, health as healthSchema } from "../../contract/system.ts";
import { silentLog } from "../../lib/log.ts";
import { createServer } from "../server.ts";
import type { HttpDeps } from "../types.ts";

let app: FastifyInstance;
let state: Health;
let ask: () => Promise<Health>;

const refuse = () => {
  throw new Error("health asks nobody who they are, and takes nothing in");
};

beforeEach(async () => {
  state = {
    status: "ok",
    version: "0.0.0",
    started_at: "2026-05-04T08:00:00.000Z",
    frozen: false,
    dependencies: { database: { status: "ok", detail: "answers" } },
  };
  ask = async () => state;
  const deps: HttpDeps = {
    ctxOf: refuse,
    checkSender: refuse,
    receive: refuse,
    relations: { merge: refuse, split: refuse },
    undo: refuse,
    takeSignal: refuse,
    diagnose: refuse,
    limiter: { enter: () => {}, refused: () => {} },
    sources: { kinds: [], sender: refuse, decode: refuse, ids: () => [], limits: refuse, limited: () => [] },
    terms: {} as HttpDeps["terms"],
    gateway: {} as HttpDeps["gateway"],
    processes: { list: refuse, ask: refuse },
    config: { status: refuse, reload: refuse },
    open_reads: false,
    notifiers: () => [],
    health: () => ask(),
    storage: { report: refuse, prune: refuse },
    meter: () => {},
    metrics: { admits: refuse, page: refuse },
    body_limit: 1_024,
    version: "0.0.0",
    log: silentLog,
  };
  app = (await createServer(deps)) as unknown as FastifyInstance;
});
afterEach(() => app.close());

const get = (path: string, headers = {}) => app.inject({ url: `/api/v1${path}`, headers });

describe("health", () => {
  it.each(["/health", "/health/ready"])("%s says to anyone what works", async (path) => {
    const answer = await get(path);
    expect(answer.statusCode).toBe(200);
    expect(healthSchema.parse(answer.json())).toEqual(state);
    // A token that is wrong is no reason to say nothing.
    expect((await get(path, { authorization: "Bearer wrong" })).statusCode).toBe(200);
  });

  it.each(["/health", "/health/ready"])("%s is 503 when something is down, and says what", async (path) => {
    state = {
      ...state,
      status: "degraded",
      dependencies: { database: { status: "down", detail: "does not answer" } },
    };
    const answer = await get(path);
    expect(answer.statusCode).toBe(503);
    expect(answer.json()).toEqual(state);
  });

  it("is live as long as the process answers, whatever else is down", async () => {
    ask = async () => {
      throw new Error("nothing works");
    };
    const answer = await get("/health/live");
    expect(answer.statusCode).toBe(200);
    expect(answer.json()).toEqual({ status: "ok" });
  });

  it("names no detail of an unexpected error", async () => {
    ask = async () => {
      throw new Error("connection to 10.0.0.7 refused");
    };
    const answer = await get("/health/ready");
    expect(answer.statusCode).toBe(500);
    expect(answer.body).not.toContain("10.0.0.7");
  });

  it("answers other methods with what is allowed", async () => {
    const answer = await app.inject({ method: "POST", url: "/api/v1/health/ready" });
    expect(answer.statusCode).toBe(405);
    expect(answer.headers.allow).toContain("GET");
  });
});
