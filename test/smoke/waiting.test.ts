import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { RunningApp } from "../../src/app/app.ts";
import type { ActResult } from "../../src/execution/index.ts";
import { alertmanagerBody, post } from "../support/alerts.ts";
import { approvalIn, type Client, incidentIn, SCRIPTED, startTestApp } from "../support/app.ts";
import { createDatabase, type TestDatabase } from "../support/database.ts";
import { clearFolder, temporaryFolder } from "../support/folder.ts";
import { ScriptedTarget } from "../support/scripted-executor.ts";
import { until } from "../support/until.ts";

/** More than there are places for work of one kind. */
const MANY = 36;

let database: TestDatabase;
let folder: string;
let app: RunningApp & { admin: Client };
let target: ScriptedTarget;

const start = (more: object = {}) =>
  startTestApp(
    database.url,
    folder,
    {
      processes: ["shop", "till"].map((name) => ({ name, argv: ["/bin/true"] })),
      incident: { correlation: { enabled: false } },
      verification: SCRIPTED,
      ...more,
    },
    { adapt: (all) => ({ ...all, executors: [target.executor], observers: [target.observer] }) },
  );

beforeAll(async () => {
  database = await createDatabase();
});
beforeEach(async () => {
  await database.forget();
  folder = await temporaryFolder("waiting");
  target = new ScriptedTarget();
  target.healthy = true;
});
afterEach(async () => {
  await app.stop();
  await clearFolder(folder);
});
afterAll(() => database.drop());

async function asked(alertname: string, name: string) {
  const labels = { alertname, process: name, severity: "warning" };
  const incident_id = (await post(app.url, alertmanagerBody([{ labels }]))).body.incident_id as string;
  return approvalIn(app.admin, incident_id, "pending");
}
const sign = ({ approval_id, plan_hash }: { approval_id: string; plan_hash: string }) =>
  app.admin.post(`/approvals/${approval_id}/approve`, { plan_hash });
const count = async (where: string) =>
  (await database.pool.query(`select count(*)::int as n from executions where ${where}`)).rows[0].n as number;
const executionOf = async (approval_id: string) =>
  (await database.pool.query("select execution_id from executions where approval_id = $1", [approval_id]))
    .rows[0]?.execution_id as string;

/** An act that goes on until it is let go; the others end at once. */
function holdFirst(): (result: ActResult) => void {
  const { promise, resolve } = Promise.withResolvers<ActResult>();
  target.onAct = (number) => (number === 1 ? promise : { ok: true, output: "restarted" });
  return resolve;
}

describe("plans that wait for their turn on one target", () => {
  it("keep neither another's card nor another's repair waiting, and act in the order in which they were signed", async () => {
    app = await start({ execution: { max_per_hour: { target: 100, total: 100 } } });
    const release = holdFirst();
    const plans = [];
    for (let at = 0; at < MANY; at += 1) plans.push(await asked(`Shop${at}Down`, "shop"));
    for (const plan of plans) await sign(plan);
    // All have asked for their turn; all but the first have left their places again.
    await until(async () => (await count("status = 'pending' and turn > 0")) === MANY - 1, "all to wait");
    const other = await asked("TillDown", "till");
    await sign(other);
    await incidentIn(app.admin, other.incident_id, "resolved");
    expect(await count("status = 'pending'")).toBe(MANY - 1);
    expect(target.did.map((one) => one.target?.name)).toEqual(["shop", "till"]);

    release({ ok: true, output: "restarted" });
    await until(() => target.acts.length >= 5, "the next in turn to act");
    const [first, , ...next] = target.acts.map((run) => run.execution_id);
    const inOrder = await Promise.all(plans.map(({ approval_id }) => executionOf(approval_id)));
    expect([first, ...next]).toEqual(inOrder.slice(0, 1 + next.length));
  });

  it("go on after a restart, each once and in that order", async () => {
    app = await start();
    holdFirst();
    const plans = [];
    for (let at = 0; at < 3; at += 1) plans.push(await asked(`Shop${at}Down`, "shop"));
    for (const plan of plans) await sign(plan);
    await until(() => target.acts.length === 1, "the first to act");
    await until(async () => (await count("status = 'pending' and turn > 0")) === 2, "two to wait");
    await app.stop();
    // The first had taken effect when its process ended: that is seen, and not done again.
    target.effectAnswer = "done";
    app = await start();
    for (const { incident_id } of plans) await incidentIn(app.admin, incident_id, "resolved");
    const inOrder = await Promise.all(plans.map(({ approval_id }) => executionOf(approval_id)));
    expect(target.acts.map((run) => run.execution_id)).toEqual(inOrder);
  });
});

describe("plans on targets that belong to one thing", () => {
  it("count as changes of that, as the system said of each before it was acted on", async () => {
    app = await start({ execution: { max_per_hour: { target: 1, total: 100 } } });
    target.belongs_to = ["prod/shop"];
    const [first, second] = [await asked("ShopDown", "shop"), await asked("TillDown", "till")];
    await sign(first);
    await incidentIn(app.admin, first.incident_id, "resolved");
    await sign(second);
    const row = await until(async () => {
      const { rows } = await database.pool.query(
        "select error_code, attempts from executions where approval_id = $1 and ended_at is not null",
        [second.approval_id],
      );
      return rows[0] as object | undefined;
    }, "the second to end");
    expect(row).toEqual({ error_code: "rate_target", attempts: 0 });
    expect(target.acts).toHaveLength(1);
  });
});

describe("a plan whose tool is configured otherwise after a restart", () => {
  it("is refused, whether it was signed before or is signed afterwards, and another is made", async () => {
    target.configured = { argv: ["/bin/shop"] };
    app = await start();
    holdFirst();
    const [first, second, third] = [
      await asked("ShopDown", "shop"),
      await asked("ShopCrash", "shop"),
      await asked("ShopHangs", "shop"),
    ];
    await sign(first);
    await until(() => target.acts.length === 1, "the act");
    await sign(second);
    await until(async () => (await count("status = 'pending' and turn > 0")) === 1, "the second to wait");
    await app.stop();
    target.configured = { argv: ["/bin/shop", "--wipe"] };
    target.effectAnswer = "done";
    app = await start({ incident: { correlation: { enabled: false }, cool_down: "1s" } });
    await incidentIn(app.admin, first.incident_id, "resolved");
    await sign(third);
    for (const { approval_id, incident_id } of [second, third]) {
      const row = await until(async () => {
        const { rows } = await database.pool.query(
          "select status, error, error_code, attempts from executions where approval_id = $1 and ended_at is not null",
          [approval_id],
        );
        return rows[0] as object | undefined;
      }, `${approval_id} to end`);
      expect(row).toMatchObject({
        status: "refused",
        error: expect.stringMatching(/^Gate 2: .* has changed since the plan was made/),
        error_code: "tool_changed",
        attempts: 0,
      });
      const anew = await approvalIn(app.admin, incident_id, "pending");
      expect(anew.approval_id).not.toBe(approval_id);
    }
    expect(target.acts).toHaveLength(1);
  });
});

describe("what an older version has enqueued", () => {
  it("is taken up where the tables say that it is", async () => {
    app = await start();
    const release = holdFirst();
    const plan = await asked("ShopDown", "shop");
    await sign(plan);
    await until(() => target.acts.length === 1, "the act");
    await app.stop();
    release({ ok: true, output: "restarted" });
    // As it was: in the queue that all kinds shared, with no turn, in the middle of steps of another order.
    const id = `execute:${plan.approval_id}`;
    const argument = { kind: "execute", incident_id: plan.incident_id, approval_id: plan.approval_id };
    await database.pool.query(
      "update dbos.workflow_status set queue_name = 'journey', queue_partition_key = null, status = 'ENQUEUED' where workflow_uuid = $1",
      [id],
    );
    await database.pool.query("update dbos.workflow_input set inputs = $2 where workflow_uuid = $1", [
      id,
      JSON.stringify({ positionalArgs: [argument], namedArgs: {} }),
    ]);
    await database.pool.query(
      "update dbos.operation_outputs set function_name = 'DBOS.sleep' where workflow_uuid = $1 and function_id > 0",
      [id],
    );
    target.effectAnswer = "done";
    app = await start();
    await incidentIn(app.admin, plan.incident_id, "resolved");
    expect(target.acts).toHaveLength(1);
    const works = "select workflow_uuid id from dbos.workflow_status where name = 'execute' order by 1";
    expect((await database.pool.query(works)).rows).toEqual([{ id }, { id: `${id}:turn-1` }]);
  });
});
