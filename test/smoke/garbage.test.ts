import { rm } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { RunningApp } from "../../src/app/app.ts";
import { configSchema } from "../../src/app/config/schema.ts";
import type { RefusedCalls, SourceReport } from "../../src/contract/source.ts";
import { alertmanagerBody } from "../support/alerts.ts";
import { ADMIN_TOKEN, type Client, databaseAt, QUICK, startTestApp } from "../support/app.ts";
import { createDatabase, type TestDatabase } from "../support/database.ts";
import { temporaryFolder } from "../support/folder.ts";
import { setClock } from "../support/pipeline-deps.ts";

const LIMITS = {
  dead_letters_per_hour: 10,
  new_fingerprints: 20,
  new_fingerprints_per_hour: 3_600,
  sources: { generic: { body_limit: 2_000, dead_letter_bytes_kept: 20_000, dead_letters_per_hour: 1_000 } },
};
// Two senders of one source, told apart as behind a proxy.
const GOOD = { "x-forwarded-for": "10.1.1.1" };
const BAD = { "x-forwarded-for": "10.2.2.2" };

let database: TestDatabase;
let folder: string;
let app: RunningApp & { admin: Client };
const clock = setClock();
const settings = {
  intake: { ...QUICK.intake, proxies: ["127.0.0.1"], body_limit: 3_000_000, limits: LIMITS },
};
const config = (limits: object) =>
  configSchema.parse({
    ...QUICK,
    data_dir: folder,
    admin_token: ADMIN_TOKEN,
    database: databaseAt(database.url),
    server: { port: 0 },
    notification: { terminal: false },
    intake: { ...settings.intake, limits },
  });
let limits: object = LIMITS;
const start = async () => {
  app = await startTestApp(database.url, folder, settings, { clock, load: () => config(limits) });
};
/** What was counted is in the database when the server has stopped. */
const restart = async () => {
  await app.stop();
  await start();
};

beforeAll(async () => {
  database = await createDatabase();
  folder = await temporaryFolder("garbage");
  await start();
});
afterAll(async () => {
  await app.stop();
  await database.drop();
  await rm(folder, { recursive: true, force: true });
});

async function send(body: string, headers: Record<string, string> = BAD, path = "alertmanager") {
  const json = { "content-type": "application/json", ...headers };
  const response = await fetch(`${app.url}/api/v1/webhooks/${path}`, { method: "POST", headers: json, body });
  return { status: response.status, headers: response.headers, body: JSON.parse(await response.text()) };
}
const alerts = (service: string) =>
  JSON.stringify(
    alertmanagerBody([
      { labels: { alertname: "ShopDown", service, deployment: service }, startsAt: "2026-05-04T07:59:00Z" },
    ]),
  );
const count = async (sql: string) => Number((await database.pool.query(`select ${sql} as n`)).rows[0].n);
const dead = (source: string) =>
  count(`(select count(*) from receipts where state = 'dead' and source = '${source}')`);
const source = async (id: string) =>
  (await app.admin.get<{ items: SourceReport[] }>("/sources")).items.find((one) => one.source === id);
const refused = async (query = "") =>
  (await app.admin.get<{ items: RefusedCalls[] }>(`/sources/refused?${query}`)).items;
describe("a source that sends what is not understood", () => {
  it("fills no more of the disk than it may, and is told so; what is understood goes on", async () => {
    for (let n = 0; n < 40; n += 1) {
      const answer = await send(`{"garbage": ${n}}`);
      expect([n, answer.status]).toEqual([n, n < 10 ? 200 : 503]);
      if (n >= 10) {
        expect(answer.body.code).toBe("source_limited");
        expect(Number(answer.headers.get("retry-after"))).toBeGreaterThan(0);
      }
    }
    expect(await dead("alertmanager")).toBe(10);
    // Of the very sender that is limited, and of another.
    expect((await send(alerts("web"))).body.incident_id).toMatch(/^INC-/);
    expect((await send(alerts("api"), GOOD)).body.incident_id).toMatch(/^INC-/);
    expect((await send('{"garbage": "of another"}', GOOD)).status).toBe(200);
    expect(await source("alertmanager")).toMatchObject({
      kind: "alertmanager",
      path: "/api/v1/webhooks/alertmanager",
      limited: ["dead_letters"],
      limits: { dead_letters_per_hour: 10, body_limit: 3_000_000 },
    });
  });

  it("is limited still after a restart, and not for ever", async () => {
    await restart();
    expect(await refused()).toEqual([
      expect.objectContaining({
        source: "alertmanager",
        sender: "10.2.2.2",
        reason: "dead_letters",
        count: 30,
      }),
    ]);
    expect((await send("[]")).status).toBe(503);
    clock.forward(3_600);
    expect((await send("[]")).status).toBe(200);
    expect(await source("alertmanager")).toMatchObject({ limited: [] });
  });

  it("can keep only so many bytes, by limits of its own", async () => {
    const letter = JSON.stringify({
      garbage: "x".repeat(1_900),
      alert_type: 5,
      labels: "none",
      severity: [],
    });
    const list = JSON.stringify([letter]);
    const statuses: number[] = [];
    for (let n = 0; n < 20; n += 1) statuses.push((await send(list, BAD, "alerts")).status);
    const taken = statuses.filter((status) => status === 200).length;
    expect(statuses.slice(taken)).toEqual(Array(20 - taken).fill(503));
    expect(taken).toBeGreaterThan(3);
    expect(
      await count("(select sum(octet_length(body)) from receipts where source = 'generic')"),
    ).toBeLessThan(20_000);
    expect((await send(`"${"x".repeat(2_001)}"`, BAD, "alerts")).status).toBe(413);
  });
});

describe("a source that makes up ever new alerts", () => {
  it("opens only so many incidents at once; what is known of it, and what others send, goes on", async () => {
    const before = await count("(select count(*) from incidents)");
    let known = "";
    let opened = 0;
    for (let n = 0; n < 60; n += 1) {
      const { status } = await send(alerts(`made-up-${n}-x`));
      if (status === 200) opened += 1;
      if (status === 200) known = `made-up-${n}-x`;
    }
    expect(opened).toBe(20);
    expect((await count("(select count(*) from incidents)")) - before).toBe(20);
    expect((await send(alerts(known))).status).toBe(200);
    expect((await send(alerts("of-another"), GOOD)).body.incident_id).toMatch(/^INC-/);
    clock.forward(1);
    expect((await send(alerts("one-a-second"))).status).toBe(200);
  });
});

describe("what is useless whatever it says", () => {
  it("is refused at small cost: large bodies not even read once enough of them were", async () => {
    expect((await send("{nope")).status).toBe(400);
    const large = `{${"x".repeat(2_900_000)}`;
    const statuses: number[] = [];
    for (let n = 0; n < 16; n += 1)
      statuses.push(
        await send(large).then(
          ({ status }) => status,
          () => 503,
        ),
      );
    // 32 MiB, which is eleven and a half of them.
    expect(statuses).toEqual([...Array(12).fill(400), ...Array(4).fill(503)]);
    expect((await send(alerts("one-a-second"))).status).toBe(200);
    expect((await send(large, GOOD)).status).toBe(400);
    clock.forward(60);
    expect((await send(large)).status).toBe(400);
  });

  it("is counted by sender as far as 500 of them, and never with what it carried", async () => {
    for (let n = 0; n < 600; n += 30) {
      const secret = { authorization: "Bearer hunter2-hunter2-hunter2" };
      await Promise.all(
        Array.from({ length: 30 }, (_, at) =>
          send("{}", { "x-forwarded-for": `203.0.${(n + at) >> 8}.${(n + at) & 255}`, ...secret }),
        ),
      );
    }
    const metrics = await (await fetch(`${app.url}/metrics`)).text();
    expect(metrics).toMatch(
      /awoooi_calls_refused_total\{source="alertmanager",reason="unauthenticated"\} 600/,
    );
    await restart();
    const rows = await refused("reason=unauthenticated&limit=200");
    expect(await count("(select sum(count) from source_calls where result = 'unauthenticated')")).toBe(600);
    const named = await count("(select count(*) from source_calls where result = 'unauthenticated')");
    expect(named).toBeGreaterThan(400);
    expect(named).toBeLessThanOrEqual(501);
    expect(JSON.stringify(rows)).not.toContain("hunter2");
    const pages = await app.admin.get<{ items: RefusedCalls[]; next_cursor: string }>(
      "/sources/refused?limit=200",
    );
    const next = await app.admin.get<{ items: RefusedCalls[] }>(
      `/sources/refused?limit=200&cursor=${pages.next_cursor}`,
    );
    const id = (one: RefusedCalls) => [one.hour, one.source, one.reason, one.sender].join();
    expect(new Set([...pages.items, ...next.items].map(id)).size).toBe(400);
  });
});

describe("limits", () => {
  it("hold from a reload on; too many calls are refused before their bodies are read", async () => {
    limits = { ...LIMITS, sender_requests_per_second: 0.5, burst: 80_000 };
    clock.forward(3_600);
    await app.reload();
    const statuses: number[] = [];
    for (let n = 0; n < 5; n += 1) statuses.push((await send("{nope")).status);
    expect(statuses).toEqual([400, 400, 503, 503, 503]);
    expect((await send(alerts("web"), GOOD)).status).toBe(200);
    await restart();
    const reasons = (await refused("sender=10.2.2.2&limit=200")).map(({ source, reason }) =>
      [source, reason].join(),
    );
    for (const reason of ["dead_letters", "new_fingerprints", "wasted_bytes", "sender_requests_per_second"])
      expect(reasons).toContain(`alertmanager,${reason}`);
    for (const reason of ["dead_letter_bytes_kept", "too_large"])
      expect(reasons).toContain(`generic,${reason}`);
  });
});
