import { Readable } from "node:stream";
import { afterAll, beforeAll, expect, test } from "vitest";
import { runCli } from "../../src/cli/index.ts";
import { alertmanagerBody, post } from "../support/alerts.ts";
import { ADMIN_TOKEN, approvalIn, person, startTestApp } from "../support/app.ts";
import { createDatabase, type TestDatabase } from "../support/database.ts";
import { clearFolder, temporaryFolder } from "../support/folder.ts";
import { ScriptedTarget } from "../support/scripted-executor.ts";
import { until } from "../support/until.ts";

let folder: string;
let database: TestDatabase;
let app: Awaited<ReturnType<typeof startTestApp>>;
const target = new ScriptedTarget();
const told: string[] = [];

async function start(): Promise<void> {
  app = await startTestApp(
    database.url,
    folder,
    { processes: [{ name: "shop", argv: ["/bin/true"] }] },
    {
      adapt: (adapters) => ({
        ...adapters,
        executors: [target.executor],
        observers: [target.observer],
        notifiers: [
          {
            id: "ears",
            send: async ({ title, lines }) => {
              told.push([title, ...lines].join(" | "));
              return { ok: true };
            },
          },
        ],
      }),
    },
  );
}
beforeAll(async () => {
  folder = await temporaryFolder("freeze");
  database = await createDatabase();
  await start();
});
afterAll(async () => {
  await app?.stop();
  await database.drop();
  await clearFolder(folder);
});

async function awoooi(...argv: string[]): Promise<{ code: number; out: string }> {
  const written: string[] = [];
  const keep = (text: string) => written.push(text);
  const env = { AWOOOI_URL: app.url, AWOOOI_TOKEN: ADMIN_TOKEN };
  const code = await runCli(argv, {
    stdout: keep,
    stderr: keep,
    env,
    isTTY: false,
    stdin: Readable.from([]),
  });
  return { code, out: written.join("") };
}
const metric = async () => {
  const text = await (await fetch(`${app.url}/metrics`)).text();
  return /^awoooi_frozen (\d)$/m.exec(text)?.[1];
};
const isFrozen = async () =>
  ((await (await fetch(`${app.url}/api/v1/health`)).json()) as { frozen: boolean }).frozen;

/** Has a plan approved, and returns what became of it. */
async function repair(name: string) {
  const labels = { alertname: name, service: "shop" };
  const { body } = await post(app.url, alertmanagerBody([{ labels }]));
  const incident_id = body.incident_id as string;
  const { approval_id, plan_hash } = await approvalIn(app.admin, incident_id, "pending");
  await app.admin.post(`/approvals/${approval_id}/approve`, { plan_hash });
  type Page = { items: { status: string; error: string | null; error_code: string | null }[] };
  return until(async () => {
    const { items } = await app.admin.get<Page>(`/executions?incident_id=${incident_id}`);
    return items.find(({ status }) => ["success", "failed", "refused"].includes(status));
  }, "the execution to end");
}

test("one command stops all changes, over a restart, until another allows them again", async () => {
  expect(await awoooi("freeze", "status")).toEqual({
    code: 0,
    out: "Nothing is frozen: what people approve is carried out.\n",
  });
  expect([await metric(), await isFrozen()]).toEqual(["0", false]);
  expect(await awoooi("freeze")).toMatchObject({ code: 2 });

  const set = await awoooi("freeze", "--why", "the database moves", "--for", "2h");
  expect(set.code).toBe(0);
  expect(set.out).toMatch(/^Changes are frozen by admin since \S+ \S+, until \S+ \S+: the database moves\n$/);
  expect(await isFrozen()).toBe(true);
  const told_of = (start: string) => until(async () => told.find((one) => one.startsWith(start)), start);
  expect(await told_of("Changes are frozen by admin")).toContain("Why: the database moves | Until 20");

  const refused = await repair("ShopDown");
  expect(refused).toMatchObject({
    status: "refused",
    error_code: "frozen",
    error: expect.stringContaining("frozen by admin until"),
  });
  expect(target.acts).toEqual([]);

  await app.stop();
  await start();
  expect([await metric(), await isFrozen()]).toEqual(["1", true]);
  expect((await awoooi("freeze", "status")).out).toContain("the database moves");

  expect(await awoooi("unfreeze")).toMatchObject({
    code: 0,
    out: expect.stringContaining("Nothing is frozen"),
  });
  expect(await isFrozen()).toBe(false);
  expect(await told_of("Changes are allowed again by admin")).toContain("Was frozen for: the database moves");
  expect(await repair("ShopSlow")).toMatchObject({ status: "success" });
  expect(target.acts).toHaveLength(1);
});

test("a viewer reads it, a responder sets it, an approver lifts it", async () => {
  const [viewer, responder, approver] = await Promise.all(
    (["viewer", "responder", "approver"] as const).map((role) => person(app, `the-${role}`, role)),
  );
  const body = { why: "wait" };
  const status = async (who: typeof viewer, method: string, sent?: object) =>
    (await who?.call(method, "/freeze", sent))?.status;
  expect(await status(viewer, "GET")).toBe(200);
  expect(await status(viewer, "PUT", body)).toBe(403);
  expect(await status(responder, "PUT", { why: "" })).toBe(422);
  expect(await status(responder, "PUT", body)).toBe(200);
  expect(await status(responder, "DELETE")).toBe(403);
  expect(await status(approver, "DELETE")).toBe(200);
});
