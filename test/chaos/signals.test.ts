import { rm } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createPool } from "../../src/db/client.ts";
import { type EmbeddedPostgres, startEmbeddedPostgres } from "../../src/db/embedded/server.ts";
import { silentLog } from "../../src/lib/log.ts";
import { temporaryFolder } from "../support/folder.ts";
import { freePort } from "../support/ports.ts";
import { between, SEED, seededRandom } from "../support/random.ts";
import { DURABLE, type Redis, startRedis } from "../support/redis.ts";
import { type Server, startServer } from "../support/server.ts";
import { until } from "../support/until.ts";
import { shuffled } from "./moments.ts";

// A fifth of the kills of the journeys, half of them of the server and half of Redis.
const KILLS = Math.max(2, Math.floor(Number(process.env.AWOOOI_CHAOS_KILLS ?? 10) / 5));
const SENDERS = 4;
const STREAM = "awoooi:signals";

let folder: string;
let redis: Redis;
let postgres: EmbeddedPostgres;
let server: Server;

beforeEach(async () => {
  folder = await temporaryFolder("chaos-signals");
  redis = await startRedis(...DURABLE);
  postgres = await startEmbeddedPostgres({ dataDir: folder, log: silentLog });
});
afterEach(async () => {
  await server.stop();
  await redis.stop();
  await postgres.stop();
  await rm(folder, { recursive: true, force: true });
});

/** Senders that give each signal to the server once, and know which of them it acknowledged. */
function startSenders(url: () => string) {
  const acknowledged: string[] = [];
  const headers = { "content-type": "application/json" };
  let sending = true;
  const send = async (sender: number) => {
    for (let n = 0; sending; n += 1) {
      const name = `${sender}-${n}`;
      const body = JSON.stringify({ alert_name: "Chaos", target: "chaos", labels: { name } });
      const answered = fetch(`${url()}/api/v1/webhooks/signals`, { method: "POST", headers, body });
      const ok = await answered.then(
        async (response) => (await response.text()) !== "" && response.ok,
        () => false,
      );
      if (ok) acknowledged.push(name);
      else await delay(20);
    }
  };
  const running = Promise.all(Array.from({ length: SENDERS }, (_, sender) => send(sender)));
  const stop = async () => {
    sending = false;
    await running;
  };
  return { acknowledged, stop };
}

describe(`kills while signals are on their way (AWOOOI_TEST_SEED=${SEED})`, () => {
  it(
    `have each acknowledged signal journalled once, and none twice: ${KILLS} kills of server and Redis`,
    async () => {
      const random = seededRandom();
      const settings = {
        server: { port: await freePort(), log_level: "error" },
        notification: { terminal: false },
        redis: { url: redis.url, claim_after: "500ms" },
      };
      const start = async () => {
        server = await startServer(folder, settings, { DATABASE_URL: postgres.url });
      };
      await start();
      const senders = startSenders(() => server.url);
      const victims = shuffled(
        random,
        Array.from({ length: KILLS }, (_, n) => (n % 2 === 0 ? "server" : "redis")),
      );
      for (const victim of victims) {
        const before = senders.acknowledged.length;
        await until(() => senders.acknowledged.length > before + 50, "traffic");
        await delay(between(random, 0, 50));
        if (victim === "server") {
          await server.kill();
          await start();
        } else {
          await redis.kill();
          await delay(between(random, 0, 500));
          await redis.start();
        }
      }
      await senders.stop();
      await until(
        async () => (await redis.send<number>("XLEN", STREAM)) === 0,
        "the stream to be worked off",
      );
      const pool = createPool({ url: postgres.url }, silentLog);
      const { rows } = await pool.query<{ name: string; n: number }>(
        "select convert_from(body, 'utf8')::json->'labels'->>'name' as name, count(*)::int as n from receipts group by 1",
      );
      await pool.end();
      const times = new Map(rows.map(({ name, n }) => [name, n]));
      console.log(
        `seed ${SEED}: ${victims.join(", ")} killed, ${senders.acknowledged.length} signals acknowledged`,
      );
      expect(senders.acknowledged.filter((name) => times.get(name) !== 1)).toEqual([]);
      expect(rows.filter(({ n }) => n !== 1)).toEqual([]);
    },
    600_000 + KILLS * 60_000,
  );
});
