import { createHmac } from "node:crypto";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { RunningApp } from "../../src/app/app.ts";
import { type Client, startTestApp } from "../support/app.ts";
import { createDatabase, type TestDatabase } from "../support/database.ts";
import { clearFolder, temporaryFolder } from "../support/folder.ts";
import { DURABLE, type Redis, startRedis } from "../support/redis.ts";
import { eventually, until } from "../support/until.ts";

const SECRET = "a-secret-that-signs-signals";
const INTAKE = { answer_wait: "2m", hmac_secrets: [SECRET] };
const STREAM = "awoooi:signals";

let database: TestDatabase;
let folder: string;
let app: RunningApp & { admin: Client };
let count = 0;

beforeEach(async () => {
  database = await createDatabase();
  folder = await temporaryFolder("signals");
});
afterEach(async () => {
  await app.stop();
  await database.drop();
  await clearFolder(folder);
});

async function start(redis?: Record<string, unknown>): Promise<void> {
  const settings = { intake: INTAKE, ...(redis === undefined ? {} : { redis }) };
  app = await startTestApp(database.url, folder, settings);
}

type Answer = {
  status: number;
  retryAfter: string | null;
  body: { success: boolean; message_id: string; stream: string; code: string };
};

async function post(body: string, headers: Record<string, string> = {}): Promise<Answer> {
  const signature = `sha256=${createHmac("sha256", SECRET).update(body).digest("hex")}`;
  const response = await fetch(`${app.url}/api/v1/webhooks/signals`, {
    method: "POST",
    headers: { "content-type": "application/json", "x-signature-256": signature, ...headers },
    body,
  });
  const retryAfter = response.headers.get("retry-after");
  return { status: response.status, retryAfter, body: (await response.json()) as Answer["body"] };
}

/** A signal about `target`, else about one that no other is about. */
function signal(target?: string, more: object = {}): string {
  count += 1;
  const about = target ?? `service-${count}`;
  return JSON.stringify({
    source: "cron",
    alert_name: "QueueGrows",
    severity: "warning",
    target: about,
    ...more,
  });
}

type Incident = { incident_id: string; hit_count: number; affected_services: string[]; severity: string };

const about = async (target: string) =>
  (await app.admin.get<{ items: Incident[] }>("/incidents?limit=200")).items.filter((one) =>
    one.affected_services.includes(target),
  );
const incidentAbout = (target: string) =>
  until(async () => (await about(target))[0], `the incident of ${target}`);
const scalar = async (query: string) =>
  Number((await database.pool.query<{ n: string }>(`select (${query}) as n`)).rows[0]?.n);
const understood = () =>
  until(
    async () => (await scalar("select count(*) from receipts where state = 'received'")) === 0,
    "the end",
  );

type Dependencies = { dependencies: { redis: { status: string; detail: string } } };
const redisHealth = async () => (await app.admin.get<Dependencies>("/health")).dependencies.redis;
const redisIs = (detail: string) =>
  until(async () => (await redisHealth()).detail.includes(detail) || undefined, `Redis: ${detail}`);

describe("signals without Redis", () => {
  it("are in the journal before they are answered, and are known by their place in it", async () => {
    await start();
    const { status, body } = await post(signal("billing"));
    expect({ status, body }).toEqual({
      status: 200,
      body: { success: true, message_id: expect.stringMatching(/^\d+$/), stream: STREAM },
    });
    expect(await scalar(`select count(*) from receipts where seq = ${body.message_id}`)).toBe(1);
    const incident = await incidentAbout("billing");
    expect(incident).toMatchObject({ hit_count: 1, severity: "P2" });
    expect(await app.admin.get("/health")).not.toHaveProperty("dependencies.redis");
  });

  it("are taken from those who sign them, and count once for a key and within the debounce", async () => {
    await start();
    const unsigned = await post(signal(), { "x-signature-256": `sha256=${"0".repeat(64)}` });
    expect(unsigned).toMatchObject({ status: 401, body: { code: "signature_invalid" } });
    const body = signal("mailer");
    for (const _ of [1, 2]) expect((await post(body, { "idempotency-key": "one" })).status).toBe(200);
    expect((await post(signal("other"), { "idempotency-key": "one" })).status).toBe(422);
    await post(signal("mailer", { message: "again" }));
    await understood();
    expect(await about("mailer")).toMatchObject([{ hit_count: 1 }]);
    expect(await about("other")).toEqual([]);
  });
});

describe("signals on a Redis Stream", () => {
  let redis: Redis;
  beforeAll(async () => {
    redis = await startRedis(...DURABLE);
  });
  afterAll(() => redis.stop());
  beforeEach(() => redis.send("FLUSHALL"));

  const length = () => redis.send<number>("XLEN", STREAM);
  const worked = () =>
    until(async () => (await length()) === 0, "the stream to be worked off").then(() => understood());
  const startDurable = async (more: object = {}) => {
    await start({ url: redis.url, claim_after: "300ms", ...more });
    await redisIs("durably on disk");
  };

  it("are known by their entry, take effect, and leave nothing on it", async () => {
    await startDurable();
    const { status, body } = await post(signal("cache"));
    expect({ status, body }).toEqual({
      status: 200,
      body: { success: true, message_id: expect.stringMatching(/^\d+-\d+$/), stream: STREAM },
    });
    expect(await incidentAbout("cache")).toMatchObject({ hit_count: 1 });
    await worked();
    expect(await redis.send("XPENDING", STREAM, "awoooi")).toEqual([0, null, null, null]);
    const { rows } = await database.pool.query("select sender, stream_id, state from receipts");
    expect(rows).toEqual([{ sender: "hmac", stream_id: expect.stringMatching(/^SIG-/), state: "processed" }]);
  });

  it("are taken over from a consumer that died with them, and have their effect once", async () => {
    await redis.send("XGROUP", "CREATE", STREAM, "awoooi", "0", "MKSTREAM");
    const names = ["read-only", "committed"];
    for (const name of names)
      await redis.send("XADD", STREAM, "*", "name", `SIG-${name}`, "sender", "hmac", "body", signal(name));
    await redis.send("XREADGROUP", "GROUP", "awoooi", "dead", "COUNT", "9", "STREAMS", STREAM, ">");
    // One of them died after its commit and before its acknowledgement.
    await database.pool.query(
      "insert into receipts (source, sender, body, received_at, stream_id) values ('signal', 'hmac', $1, now(), 'SIG-committed')",
      [signal("committed")],
    );
    await startDurable();
    for (const name of names) expect(await incidentAbout(name)).toMatchObject({ hit_count: 1 });
    await worked();
    expect(await scalar("select count(*) from receipts")).toBe(2);
    const metrics = await (await fetch(`${app.url}/metrics`)).text();
    expect(metrics).toMatch(/^awoooi_signals_claimed_total\{stream="redis"\} 2$/m);
    expect(metrics).toMatch(/^awoooi_signal_stream_up\{stream="redis"\} 1$/m);
  });

  it("are refused past the cap, while nothing unread is dropped, and taken again after that", async () => {
    await startDurable({ stream_cap: 5 });
    const blocker = await database.pool.connect();
    await blocker.query("begin; lock table receipts in exclusive mode");
    const taken: string[] = [];
    // PostgreSQL takes nothing: they are safe on the stream.
    for (let n = 0; n < 5; n += 1) {
      const target = `capped-${n}`;
      expect((await post(signal(target))).status).toBe(200);
      taken.push(target);
    }
    const refused = await post(signal("too-many"));
    expect(refused).toMatchObject({ status: 503, retryAfter: "2", body: { code: "overloaded" } });
    expect(await length()).toBe(5);
    await blocker.query("rollback");
    blocker.release();
    for (const target of taken) expect(await incidentAbout(target)).toMatchObject({ hit_count: 1 });
    await worked();
    expect((await post(signal("too-many"))).status).toBe(200);
    expect(await incidentAbout("too-many")).toMatchObject({ hit_count: 1 });
  });

  it("stay for another group until it has read them, and are taken again when it is gone", async () => {
    await startDurable({ stream_cap: 3 });
    await redis.send("XGROUP", "CREATE", STREAM, "others", "0");
    for (const target of ["a-1", "a-2", "a-3"]) {
      await post(signal(target));
      await incidentAbout(target);
    }
    expect(await length()).toBe(3);
    expect((await post(signal())).status).toBe(503);
    await redis.send(
      ...["XREADGROUP", "GROUP", "others", "one", "COUNT", "1", "NOACK", "STREAMS", STREAM, ">"],
    );
    await until(async () => (await length()) === 2, "what both have read to be deleted");
    await redis.send("XGROUP", "DESTROY", STREAM, "others");
    await worked();
    expect((await post(signal())).status).toBe(200);
  });

  it("go on when Redis was emptied, and what cannot be understood becomes a dead letter", async () => {
    await startDurable();
    await post(signal("before"));
    await incidentAbout("before");
    await redis.send("FLUSHALL");
    const poison = [
      ["body", "{not json"],
      ["body", "[1]", "received_at", "yesterday", "name", "\0".repeat(600)],
      ["what", "is this"],
    ];
    for (const fields of poison) await redis.send("XADD", STREAM, "*", ...fields);
    await redis.send(
      "XADD",
      STREAM,
      "*",
      "source",
      "prometheus",
      "alert_name",
      "ByHand",
      "target",
      "by-hand",
    );
    await post(signal("after"));
    for (const target of ["by-hand", "after"])
      expect(await incidentAbout(target)).toMatchObject({ hit_count: 1 });
    await worked();
    expect(await scalar("select count(*) from receipts where state = 'dead'")).toBe(poison.length);
    expect(await redis.send("XPENDING", STREAM, "awoooi")).toEqual([0, null, null, null]);
  });

  it("are each in the journal once when Redis is killed and comes back, over and over, if they were acknowledged", async () => {
    await startDurable();
    const acknowledged: string[] = [];
    let sending = true;
    const senders = Array.from({ length: 4 }, async (_, sender) => {
      for (let n = 0; sending; n += 1) {
        const name = `storm-${sender}-${n}`;
        if ((await post(signal("storm", { labels: { request_id: name } }))).status === 200)
          acknowledged.push(name);
      }
    });
    for (let kills = 0; kills < 3; kills += 1) {
      const [before] = [acknowledged.length];
      await until(() => acknowledged.length > before + 20, "traffic");
      await redis.kill();
      const during = acknowledged.length;
      await until(() => acknowledged.length > during + 5, "signals without Redis");
      await eventually(async () => expect(await redisHealth()).toMatchObject({ status: "down" }));
      await redis.start();
      await redisIs("durably on disk");
    }
    sending = false;
    await Promise.all(senders);
    await worked();
    const { rows } = await database.pool.query<{ name: string; n: string }>(
      "select convert_from(body, 'utf8')::json->'labels'->>'request_id' as name, count(*) as n from receipts group by 1",
    );
    const times = new Map(rows.map(({ name, n }) => [name, Number(n)]));
    expect(acknowledged.filter((name) => times.get(name) !== 1)).toEqual([]);
    expect([...times.values()].filter((n) => n !== 1)).toEqual([]);
    expect(await about("storm")).toMatchObject([{ hit_count: 1 }]);
  });
});

describe("a Redis that may lose what it says it has", () => {
  let redis: Redis;
  afterEach(() => redis.stop());

  it("acknowledges nothing alone: the journal has a signal before, and its entry has no second effect", async () => {
    redis = await startRedis("--appendonly", "yes", "--appendfsync", "everysec");
    await start({ url: redis.url, claim_after: "300ms" });
    await redisIs("after the journal: appendfsync is everysec");
    const { body } = await post(signal("journalled"));
    expect(body.message_id).toMatch(/^\d+-\d+$/);
    expect(await scalar("select count(*) from receipts where stream_id is not null")).toBe(1);
    expect(await incidentAbout("journalled")).toMatchObject({ hit_count: 1 });
    await until(async () => (await redis.send<number>("XLEN", STREAM)) === 0, "the entry to be acknowledged");
    expect(await scalar("select count(*) from receipts")).toBe(1);
    await redis.send("CONFIG", "SET", "appendfsync", "always");
    await redisIs("durably on disk");
  });

  it.each([
    [
      "wants another password",
      ["--requirepass", "another-password-than-ours"],
      [],
      "refuses our user or password",
    ],
    ["is a replica", [], ["REPLICAOF", "127.0.0.1", "1"], "is a replica"],
    ["has no memory left", [], ["CONFIG", "SET", "maxmemory", "1"], "has no memory left"],
    ["has something else there", [], ["SET", STREAM, "text"], "has something else"],
  ] as const)(
    "takes no signal when it %s, says so, and signals are taken in all the same",
    async (_, args, command, words) => {
      redis = await startRedis(...args);
      if (command.length > 0) await redis.send(...command);
      await start({ url: redis.url.replace("//", "//:a-password-of-ours@") });
      await redisIs(words);
      const { status, body } = await post(signal("sheltered"));
      expect({ status, id: body.message_id }).toEqual({ status: 200, id: expect.stringMatching(/^\d+$/) });
      expect(await incidentAbout("sheltered")).toMatchObject({ hit_count: 1 });
      expect((await app.admin.get<{ status: string }>("/health")).status).toBe("ok");
    },
  );
});
