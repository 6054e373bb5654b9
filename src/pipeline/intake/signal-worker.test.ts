import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createDatabase, type TestDatabase } from "../../../test/support/database.ts";
import { setClock, testPipelineDeps } from "../../../test/support/pipeline-deps.ts";
import { DURABLE, type Redis, startRedis } from "../../../test/support/redis.ts";
import { until } from "../../../test/support/until.ts";
import { redisStream } from "../../adapters/streams/redis/index.ts";
import type { SignalStream } from "../../intake/index.ts";
import { silentLog } from "../../lib/log.ts";
import { SignalWorker } from "./signal-worker.ts";

const STREAM = "awoooi:signals";
const ENTRIES = 1_000;

let database: TestDatabase;
let redis: Redis;

beforeAll(async () => {
  [database, redis] = await Promise.all([createDatabase(), startRedis(...DURABLE)]);
});
afterAll(() => Promise.all([database.drop(), redis.stop()]));
beforeEach(async () => {
  await redis.send("FLUSHALL");
  await database.pool.query("delete from receipts");
});

/** A worker of its own with a connection of its own, whose stream is first changed by `change`. */
function startWorker(consumer: string, change: (stream: SignalStream) => Partial<SignalStream> = () => ({})) {
  const deps = testPipelineDeps(database, setClock());
  const settings = { url: redis.url, stream: STREAM, stream_cap: 10_000, claim_after: 0.3 };
  const own = redisStream.create(settings, { consumer, log: silentLog });
  if (own === null) throw new Error("there is no stream although its URL is configured");
  const stream = new Proxy(own, {
    get(target, name: keyof SignalStream) {
      const value = change(own)[name] ?? target[name];
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
  const brought: string[] = [];
  const add = (receipt: { stream_id?: string | null }) => void brought.push(receipt.stream_id ?? "");
  const worker = new SignalWorker(
    () => deps,
    stream,
    { add, backlog: () => 0 },
    () => 1,
  );
  worker.start();
  const stop = async () => {
    await worker.stop();
    await own.close();
  };
  return { stream: own, brought, stop };
}

/** What a process does that is gone: it never comes back from there. */
const gone = () => new Promise<never>(() => {});

async function append(stream: SignalStream): Promise<void> {
  await until(() => stream.state().up, "Redis");
  const body = '{"alert_name":"Burst"}';
  const entries = Array.from({ length: ENTRIES }, (_, n) => ({ name: `SIG-${n}`, sender: "hmac", body }));
  // Not all at once: each has its own two seconds.
  for (let n = 0; n < ENTRIES; n += 100)
    await Promise.all(entries.slice(n, n + 100).map((fields) => stream.append(fields)));
}

async function allBroughtOnce(): Promise<void> {
  await until(async () => (await redis.send<number>("XLEN", STREAM)) === 0, "the stream to be worked off");
  const { rows } = await database.pool.query(
    "select count(*)::int as n, count(distinct stream_id)::int as names from receipts",
  );
  expect(rows).toEqual([{ n: ENTRIES, names: ENTRIES }]);
}

describe("two workers of a stream", () => {
  it("share what is on it, and each entry is brought by one of them", async () => {
    const writer = startWorker("writer", () => ({ read: gone, claim: gone }));
    await append(writer.stream);
    // Whoever is first waits with what it has read until the other has read something, too.
    const have = new Set<SignalStream>();
    const both = Promise.withResolvers<void>();
    const readTogether = (stream: SignalStream) => ({
      async read() {
        const entries = await stream.read();
        if (entries.length > 0) have.add(stream);
        if (have.size === 2) both.resolve();
        if (entries.length > 0) await both.promise;
        return entries;
      },
      // What waits so is not left over.
      claim: async () => [],
    });
    const workers = ["one", "other"].map((name) => startWorker(name, readTogether));
    await allBroughtOnce();
    expect(workers.flatMap(({ brought }) => brought).sort()).toEqual(
      Array.from({ length: ENTRIES }, (_, n) => `SIG-${n}`).sort(),
    );
    for (const { brought } of workers) expect(brought.length).toBeGreaterThan(0);
    await Promise.all(workers.map((worker) => worker.stop()));
    await writer.stream.close();
  });

  it.each([
    ["between reading and its commit", (stream: SignalStream) => ({ read: () => stream.read().then(gone) })],
    ["between its commit and the acknowledgement", () => ({ ack: gone })],
  ] as const)("lose nothing and repeat nothing when one dies %s", async (_, dies) => {
    const dead = startWorker("dead", dies);
    await append(dead.stream);
    const had = await until(
      async () => (await redis.send<[number]>("XPENDING", STREAM, "awoooi"))[0],
      "the one that dies to have some",
    );
    const heir = startWorker("heir");
    await allBroughtOnce();
    expect(heir.stream.figures().claimed).toBeGreaterThanOrEqual(had);
    expect(new Set([...dead.brought, ...heir.brought]).size).toBe(ENTRIES);
    expect(dead.brought.length + heir.brought.length).toBe(ENTRIES);
    await heir.stop();
    await dead.stream.close();
  });
});
