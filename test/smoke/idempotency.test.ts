import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { RunningApp } from "../../src/app/app.ts";
import { alertmanagerBody, post } from "../support/alerts.ts";
import { ADMIN_TOKEN, type Client, startTestApp } from "../support/app.ts";
import { createDatabase, type TestDatabase } from "../support/database.ts";
import { clearFolder, temporaryFolder } from "../support/folder.ts";

let database: TestDatabase;
let folder: string;
let app: RunningApp & { admin: Client };
let incident_id: string;

beforeEach(async () => {
  database = await createDatabase();
  folder = await temporaryFolder("idempotency");
  app = await startTestApp(database.url, folder);
  const { body } = await post(app.url, alertmanagerBody([{ labels: { alertname: "Odd", service: "shop" } }]));
  incident_id = body.incident_id as string;
});
afterEach(async () => {
  await app.stop();
  await database.drop();
  await clearFolder(folder);
});

type Answer = { status: number; text: string; replayed: boolean; code: unknown };

async function write(
  path: string,
  body: unknown,
  key: string,
  more: { token?: string; method?: string } = {},
): Promise<Answer> {
  const { token = ADMIN_TOKEN, method = "POST" } = more;
  const response = await fetch(`${app.url}/api/v1${path}`, {
    method,
    headers: {
      authorization: `Bearer ${token}`,
      "idempotency-key": key,
      ...(body === undefined ? {} : { "content-type": "application/json" }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  const { code } = (text === "" ? {} : JSON.parse(text)) as { code?: unknown };
  return {
    status: response.status,
    text,
    replayed: response.headers.get("idempotent-replayed") === "true",
    code,
  };
}

const comment = (text: string, key: string, token?: string) =>
  write(`/incidents/${incident_id}/comment`, { text }, key, token === undefined ? {} : { token });
const comments = async () =>
  (await app.admin.get<{ items: { kind: string }[] }>(`/incidents/${incident_id}/timeline`)).items.filter(
    (event) => event.kind === "comment",
  ).length;

describe("a write that is repeated under its key", () => {
  it("has its effect once and gets the first answer, also after the state went on and a restart", async () => {
    const first = await comment("looking", "key-1");
    expect(first).toMatchObject({ status: 200, replayed: false });
    await app.admin.post(`/incidents/${incident_id}/resolve`, {});
    expect(await comment("looking", "key-1")).toEqual({ ...first, replayed: true });
    await app.stop();
    app = await startTestApp(database.url, folder);
    expect(await comment("looking", "key-1")).toEqual({ ...first, replayed: true });
    expect(await comments()).toBe(1);
    const { rows } = await database.pool.query(
      "select count(*)::int n from audit_entries where action = 'incident.commented'",
    );
    expect(rows[0].n).toBe(1);
  });

  it("has it once when all come at the same moment", async () => {
    const answers = await Promise.all(Array.from({ length: 8 }, () => comment("at once", "key-2")));
    expect(new Set(answers.map(({ status, text }) => `${status} ${text}`)).size).toBe(1);
    expect(answers.filter(({ replayed }) => !replayed)).toHaveLength(1);
    expect(await comments()).toBe(1);
  });

  it("is one person's: another may choose the same key", async () => {
    await comment("mine", "key-3");
    const { token } = await app.admin.post<{ token: string }>("/tokens", { name: "bob", role: "responder" });
    expect(await comment("mine", "key-3", token)).toMatchObject({ status: 200, replayed: false });
    expect(await comments()).toBe(2);
  });

  it("is refused when anything else is asked under the key", async () => {
    await comment("one thing", "key-4");
    const elsewhere = await write(`/incidents/${incident_id}/acknowledge`, undefined, "key-4");
    for (const other of [await comment("another", "key-4"), elsewhere]) {
      expect(other).toMatchObject({ status: 422, code: "idempotency_key_reused" });
    }
    expect(await comments()).toBe(1);
    expect((await comment("x", "a b")).code).toBe("invalid");
  });

  it("is tried anew when the first try failed: nothing of it was kept", async () => {
    const { token } = await app.admin.post<{ token: string }>("/tokens", { name: "vera", role: "viewer" });
    expect(await comment("may I?", "key-6", token)).toMatchObject({ status: 403, code: "forbidden" });
    await database.pool.query("update tokens set role = 'responder'");
    expect(await comment("may I?", "key-6", token)).toMatchObject({ status: 200, replayed: false });
    expect(await comments()).toBe(1);
  });

  it("has no effect when its answer cannot be kept: they are one transaction", async () => {
    await database.pool.query(`
      create function refuse() returns trigger language plpgsql as $$ begin raise exception 'no'; end $$;
      create trigger refuse before update on idempotency_keys for each row execute function refuse()`);
    expect((await comment("half done", "key-11")).status).toBe(500);
    expect(await comments()).toBe(0);
    await database.pool.query("drop trigger refuse on idempotency_keys");
    expect((await comment("half done", "key-11")).status).toBe(200);
    expect(await comments()).toBe(1);
  });

  it("is known for 24 hours", async () => {
    await comment("again", "key-7");
    await database.pool.query("update idempotency_keys set created_at = created_at - interval '24 hours'");
    expect(await comment("again, later", "key-7")).toMatchObject({ status: 200, replayed: false });
    expect(await comments()).toBe(2);
    await database.pool.query("update idempotency_keys set created_at = created_at - interval '25 hours'");
    await comment("new", "key-8");
    const { rows } = await database.pool.query("select key from idempotency_keys");
    expect(rows).toEqual([{ key: "key-8" }]);
  });
});

describe("a write", () => {
  it("whose body is hostile gets a clear answer", async () => {
    const odd = (text: string, key: string) =>
      fetch(`${app.url}/api/v1/incidents/${incident_id}/acknowledge`, {
        method: "POST",
        headers: {
          authorization: `Bearer ${ADMIN_TOKEN}`,
          "content-type": "application/json",
          "idempotency-key": key,
        },
        body: text,
      });
    expect((await odd(`${"[".repeat(50_000)}${"]".repeat(50_000)}`, "deep")).status).toBe(400);
    expect((await odd('{"a": "\\ud800"}', "half")).status).toBe(200);
  });

  it("whose answer holds a secret is done once, and the secret is kept nowhere", async () => {
    const body = { name: "laptop", role: "viewer" };
    const first = await write("/tokens", body, "key-9");
    expect(first.status).toBe(201);
    const { token } = JSON.parse(first.text) as { token: string };
    const again = await write("/tokens", body, "key-9");
    expect(again).toMatchObject({ status: 409, code: "answered_once" });
    expect(again.text).not.toContain(token);
    const { items } = await app.admin.get<{ items: { name: string }[] }>("/tokens");
    expect(items.filter(({ name }) => name === "laptop")).toHaveLength(1);
    const { rows } = await database.pool.query("select k::text as kept from idempotency_keys k");
    expect(rows).toHaveLength(1);
    expect(rows[0].kept).not.toContain(token);
  });

  it("may be a deletion, whose answer is nothing", async () => {
    const { token_id } = await app.admin.post<{ token_id: string }>("/tokens", { name: "x", role: "viewer" });
    const del = () => write(`/tokens/${token_id}`, undefined, "key-10", { method: "DELETE" });
    expect(await del()).toMatchObject({ status: 204, text: "", replayed: false });
    expect(await del()).toMatchObject({ status: 204, text: "", replayed: true });
  });
});
