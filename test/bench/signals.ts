import { createClient } from "redis";
import { DURABLE, startRedis } from "../support/redis.ts";
import { until } from "../support/until.ts";
import { startBench } from "./awoooi.ts";
import { startFastify } from "./intake.ts";
import { fixed, print, table } from "./report.ts";
import { type LoadResult, load } from "./wrk.ts";

const SECONDS = 5;
const CONNECTIONS = 64;
const HOUR = 3_600;
// The load's alerts hold what a signal needs in their labels.
const ONE = { before: "", after: "" };

type Line = { name: string; accepted: number; ended: number; refused: number };

const send = (url: string) =>
  load({
    url,
    headers: {},
    shape: ONE,
    batch: 1,
    instances: 99_999_999,
    seconds: SECONDS,
    connections: CONNECTIONS,
  });

const lineOf = (name: string, result: LoadResult, seconds: number): Line => ({
  name,
  accepted: result.accepted / result.seconds,
  ended: result.accepted / seconds,
  refused: result.refused + result.broken,
});

/** Ours, with signals in the journal alone or on the Redis of `url`, until all of them are understood. */
async function ours(name: string, url?: string): Promise<Line> {
  // The cap is for senders to notice; here it would be all that is measured.
  const bench = await startBench(url === undefined ? {} : { redis: { url, stream_cap: 1_000_000 } });
  try {
    const detail = async () => JSON.stringify(await bench.server.admin.get("/health"));
    if (url !== undefined) await until(async () => (await detail()).includes("on disk"), "Redis");
    const began = performance.now();
    const result = await send(`${bench.server.url}/api/v1/webhooks/signals`);
    const all = () => bench.count("select count(*) from receipts");
    await until(async () => (await all()) >= result.accepted, "the signals to be journalled", HOUR);
    await bench.drained();
    return lineOf(name, result, (performance.now() - began) / 1000);
  } finally {
    await bench.close();
  }
}

/** XADD from as many callers as there are connections: Redis writes each to its disk before it answers. */
async function bareXadd(url: string): Promise<Line> {
  const client = createClient({ url });
  await client.connect();
  const end = performance.now() + SECONDS * 1000;
  let accepted = 0;
  const call = async () => {
    for (; performance.now() < end; accepted += 1) await client.xAdd("bare", "*", { body: "x".repeat(600) });
  };
  await Promise.all(Array.from({ length: CONNECTIONS }, call));
  client.destroy();
  return { name: "bare XADD", accepted: accepted / SECONDS, ended: accepted / SECONDS, refused: 0 };
}

/** Signals a second, acknowledged and understood, beside a Fastify that forgets them and a Redis without a server. */
export async function signals(): Promise<void> {
  const redis = await startRedis(...DURABLE);
  const floor = await startFastify();
  try {
    const bare = lineOf("bare Fastify", await send(`${floor.url}/`), SECONDS);
    const lines = [
      bare,
      await bareXadd(redis.url),
      await ours("journal"),
      await ours("Redis Stream", redis.url),
    ];
    print(`signals over ${CONNECTIONS} connections, ${SECONDS} s each; Redis with appendfsync always`);
    table(
      ["", "accepted/s", "× Fastify", "to the end/s", "× Fastify", "refused"],
      lines.map(({ name, accepted, ended, refused }) => [
        name,
        fixed(accepted),
        fixed(accepted / bare.accepted, 2),
        fixed(ended),
        fixed(ended / bare.accepted, 2),
        String(refused),
      ]),
    );
  } finally {
    await floor.stop();
    await redis.stop();
  }
}
