import { Readable } from "node:stream";
import { afterAll, beforeAll, expect, test } from "vitest";
import { runCli } from "../../src/cli/index.ts";
import type { Execution } from "../../src/contract/execution.ts";
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

async function asked(name: string) {
  const labels = { alertname: name, service: "shop" };
  const { body } = await post(app.url, alertmanagerBody([{ labels }]));
  return approvalIn(app.admin, body.incident_id as string, "pending");
}

/** Has a plan approved, and returns what became of it. */
async function repair({ approval_id, plan_hash, incident_id }: Awaited<ReturnType<typeof asked>>) {
  await app.admin.post(`/approvals/${approval_id}/approve`, { plan_hash });
  type Page = { items: Execution[] };
  return until(async () => {
    const { items } = await app.admin.get<Page>(`/executions?incident_id=${incident_id}`);
    return items.find(
      (one) => one.approval_id === approval_id && ["success", "failed", "refused"].includes(one.status),
    );
  }, "the execution to end");
}

test("one command stops all changes, over a restart, until another allows them again", async () => {
  expect(await awoooi("freeze", "status")).toEqual({
    code: 0,
    out: "Nothing is frozen: approved plans are executed.\n",
  });
  expect([await metric(), await isFrozen()]).toEqual(["0", false]);
  expect(await awoooi("freeze")).toMatchObject({ code: 2 });

  const set = await awoooi("freeze", "--why", "the database moves", "--for", "2h");
  expect(set.code).toBe(0);
  expect(set.out).toMatch(/^Changes are frozen by admin since \S+ \S+, until \S+ \S+: the database moves\n$/);
  expect(await isFrozen()).toBe(true);
  const told_of = (start: string) => until(async () => told.find((one) => one.startsWith(start)), start);
  expect(await told_of("Changes are frozen by admin")).toContain("Why: the database moves | Until 20");

  const plan = await asked("ShopDown");
  const stopped = expect.stringMatching(
    /^Gate 4: changes are frozen by admin until \S+: the database moves$/,
  );
  expect(plan.stopped_by).toEqual(stopped);
  expect((await awoooi("approvals", "show", plan.approval_id)).out).toMatch(
    /blocked +Gate 4: changes are frozen by admin/,
  );
  expect(await told_of("Approval needed: ShopDown")).toContain(
    "Blocked: Gate 4: changes are frozen by admin until",
  );
  const refused = await repair(plan);
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
  // What the freeze refused is asked about again, without anybody's doing.
  const again = await approvalIn(app.admin, plan.incident_id, "pending");
  expect(again).toMatchObject({ stopped_by: null });
  expect(await repair(again)).toMatchObject({ status: "success" });
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
