import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { RunningApp } from "../../src/app/app.ts";
import { type Config, configSchema } from "../../src/app/config/schema.ts";
import type { Execution } from "../../src/contract/execution.ts";
import { LOCKS } from "../../src/db/lock.ts";
import type { ActResult } from "../../src/execution/index.ts";
import { EVERY_TARGET } from "../../src/execution/store.ts";
import { alertmanagerBody, post } from "../support/alerts.ts";
import {
  ADMIN_TOKEN,
  approvalIn,
  type Client,
  databaseAt,
  incidentIn,
  QUICK,
  SCRIPTED,
  startTestApp,
  unattended,
} from "../support/app.ts";
import { createDatabase, type TestDatabase } from "../support/database.ts";
import { clearFolder, temporaryFolder } from "../support/folder.ts";
import { ScriptedTarget } from "../support/scripted-executor.ts";
import { until } from "../support/until.ts";

type Settings = Record<string, Record<string, unknown>>;

const NAMES = Array.from({ length: 60 }, (_, at) => `shop-${at}`);
let next = 0;
let shop: string;
/** Another target of the same test. */
let cache: string;
let database: TestDatabase;
let folder: string;
let app: RunningApp & { admin: Client };
/** What the configuration says from the next reload on. */
let changed: Settings = {};
const target = new ScriptedTarget();

const settings = () => ({
  ...QUICK,
  verification: SCRIPTED,
  processes: unattended(
    NAMES.flatMap((name) => [name, `${name}-cache`]).map((name) => ({ name, argv: ["/bin/true"] })),
  ),
  incident: { correlation: { enabled: false } },
  ...changed,
  execution: { ...QUICK.execution, ...changed.execution },
});
const load = (): Config =>
  configSchema.parse({
    ...settings(),
    data_dir: folder,
    admin_token: ADMIN_TOKEN,
    database: databaseAt(database.url),
    server: { port: 0 },
    notification: { terminal: false },
  });

async function reload(to: Settings): Promise<void> {
  changed = to;
  await app.reload();
}

beforeAll(async () => {
  database = await createDatabase();
  folder = await temporaryFolder("authority");
  app = await startTestApp(database.url, folder, settings(), {
    load,
    adapt: (all) => ({ ...all, executors: [target.executor], observers: [target.observer] }),
  });
});
beforeEach(() => {
  shop = NAMES[next++] as string;
  cache = `${shop}-cache`;
  target.acts = [];
  target.did = [];
  target.onTry = () => {};
  target.onLook = () => {};
  target.onObserve = () => {};
  target.undoAnswer = { ok: false, reason: "a restart leaves nothing to take back" };
  target.healthy = true;
  target.checks = [{ name: "program", passed: true, message: "imagined" }];
});
afterEach(async () => {
  hold.release();
  await reload({});
});
afterAll(async () => {
  await app.stop();
  await clearFolder(folder);
  await database.drop();
});

/** An act that goes on until it is let go. */
const hold = {
  reached: false,
  release: () => {},
  /** The act with this number does not end by itself. */
  act(number: number, result: ActResult = { ok: true, output: "restarted" }) {
    hold.reached = false;
    const { promise, resolve } = Promise.withResolvers<ActResult>();
    hold.release = () => resolve(result);
    target.onAct = (count) => {
      if (count !== number) return { ok: true, output: "restarted" };
      hold.reached = true;
      return promise;
    };
  },
};

/** Fires an alert about this test's process; every name is another incident with a plan for the same target. */
async function asked(alertname = "ShopDown", name = shop) {
  const labels = { alertname, process: name, severity: "warning" };
  const incident_id = (await post(app.url, alertmanagerBody([{ labels }]))).body.incident_id as string;
  return approvalIn(app.admin, incident_id, "pending");
}
async function signed(alertname?: string, name?: string) {
  const made = await asked(alertname, name);
  await app.admin.post(`/approvals/${made.approval_id}/approve`, { plan_hash: made.plan_hash });
  return made;
}
const executionsOf = async (incident_id: string) =>
  (await app.admin.get<{ items: Execution[] }>(`/incidents/${incident_id}/executions`)).items.reverse();
const ended = (incident_id: string) =>
  until(
    async () => (await executionsOf(incident_id)).findLast((one) => one.ended_at !== null),
    `an execution of ${incident_id} to end`,
  );
/** Once this plan has found that another goes before it, and has left its place. */
const waits = ({ approval_id }: { approval_id: string }) =>
  until(async () => {
    const { rows } = await database.pool.query(
      "select 1 from executions where approval_id = $1 and status = 'pending' and turn > 0",
      [approval_id],
    );
    return rows.length > 0;
  }, `${approval_id} to wait`);

const EVERY_HOUR = [{ times: [{ start_time: "00:00", end_time: "24:00" }] }];

/** What takes authority away, and by which gate and code that is said. */
const TAKEN_AWAY: [string, Settings, [gate: number, code: string]][] = [
  ["execution.frozen", { execution: { frozen: true } }, [4, "frozen"]],
  [
    "execution.freeze_windows",
    { execution: { freeze_windows: [{ name: "w", why: "stocktaking", time_intervals: EVERY_HOUR }] } },
    [4, "freeze_window"],
  ],
  ["decision.mode", { decision: { mode: "shadow" } }, [4, "mode_shadow"]],
  ["execution.disabled_tools", { execution: { disabled_tools: ["process_restart"] } }, [2, "tool_disabled"]],
  ["execution.grants", { execution: { grants: { approval_executor: ["read"] } } }, [3, "scope_not_granted"]],
  ["execution.max_per_hour.target", { execution: { max_per_hour: { target: 1 } } }, [4, "rate_target"]],
  ["execution.max_per_hour.total", { execution: { max_per_hour: { total: 1 } } }, [4, "rate_total"]],
  [
    "approval.required_signatures",
    { approval: { required_signatures: { medium: 2 } } },
    [5, "quorum_missing"],
  ],
  ["approval.authority", { approval: { authority: "1ms" } }, [5, "authority_expired"]],
];

describe("what a reload takes away while a signed plan waits", () => {
  it.each(TAKEN_AWAY)(
    "for its turn on its target does not let it act: %s",
    async (_what, to, [gate, code]) => {
      hold.act(1);
      const first = await signed("ShopDown");
      await until(() => hold.reached, "the act");
      const second = await signed("ShopCrash");
      await waits(second);
      await reload(to);
      hold.release();
      expect(await ended(first.incident_id)).toMatchObject({ status: "success" });
      const refused = await ended(second.incident_id);
      expect(refused).toMatchObject({ status: "refused", error_code: code, attempts: 0 });
      expect(refused.error).toMatch(new RegExp(`^Gate ${gate}: `));
      expect(target.acts).toHaveLength(1);
      await incidentIn(app.admin, second.incident_id, "investigating");
    },
  );
});

/** A playbook of two steps for this test's process, which people have approved. */
async function playbookOfTwo(proven = false) {
  const steps = [
    { operation: "process.restart", target: { kind: "process", name: cache } },
    { operation: "process.restart" },
  ];
  const pattern = { alert_names: ["ShopHangs"], services: [shop] };
  const { items } = await app.admin.post<{ items: { playbook: { playbook_id: string; hash: string } }[] }>(
    "/playbooks",
    { playbooks: [{ name: shop, pattern, steps }] },
  );
  const { playbook_id, hash } = items[0]!.playbook;
  if (proven)
    await database.pool.query(
      "update playbooks set runs = 9, successes = 9, trust = 0.75 where playbook_id = $1",
      [playbook_id],
    );
  await app.admin.post(`/playbooks/${playbook_id}/approve`, { hash });
}

// What one change may be enough of: the others tell by their gate alone that a reload has reached it.
const STOPS = TAKEN_AWAY.filter(([what]) => !what.startsWith("execution.max_per_hour"));

describe("what a reload takes away in the middle of a signed plan", () => {
  it.each(STOPS)("is gone for the next attempt: %s", async (_what, to, [gate, code]) => {
    hold.act(1, { ok: false, error: "connection refused", sent: false });
    const { incident_id } = await signed();
    await until(() => hold.reached, "the act");
    await reload(to);
    hold.release();
    const refused = await ended(incident_id);
    expect(refused).toMatchObject({ status: "refused", error_code: code, attempts: 1 });
    expect(refused.error).toMatch(new RegExp(`^Gate ${gate}: `));
    expect(target.acts).toHaveLength(1);
  });

  it.each(STOPS)("is gone for the next step of a playbook: %s", async (_what, to, [gate, code]) => {
    await playbookOfTwo();
    hold.act(1);
    const { incident_id } = await signed("ShopHangs");
    await until(() => hold.reached, "the act");
    await reload(to);
    hold.release();
    const items = await until(async () => {
      const all = await executionsOf(incident_id);
      return all.length === 2 && all.every((one) => one.ended_at !== null) ? all : undefined;
    }, "both steps to end");
    expect(items[1]).toMatchObject({ status: "refused", error_code: code, attempts: 0 });
    expect(items[1]?.error).toMatch(new RegExp(`^Gate ${gate}: `));
    expect(target.did.map((one) => one.target?.name)).toEqual([cache]);
  });

  it.each(STOPS)(
    "is gone between the look at the target and the act: %s",
    async (_what, to, [gate, code]) => {
      const { incident_id, approval_id, plan_hash } = await asked();
      const looked = Promise.withResolvers<void>();
      const goOn = Promise.withResolvers<void>();
      target.onLook = () => {
        looked.resolve();
        return goOn.promise;
      };
      await app.admin.post(`/approvals/${approval_id}/approve`, { plan_hash });
      await looked.promise;
      await reload(to);
      goOn.resolve();
      const refused = await ended(incident_id);
      expect(refused).toMatchObject({ status: "refused", error_code: code, attempts: 0 });
      expect(refused.error).toMatch(new RegExp(`^Gate ${gate}: `));
      expect(target.acts).toEqual([]);
    },
  );
});

describe("what a reload takes away from looking", () => {
  it.each<[string, Settings, number]>([
    ["execution.disabled_tools", { execution: { disabled_tools: ["investigate"] } }, 2],
    ["execution.grants", { execution: { grants: { approval_executor: ["write"] } } }, 3],
  ])("is gone for the next look of a verification, which cannot tell then: %s", async (_what, to, gate) => {
    target.onAct = () => ({ ok: true, output: "restarted" });
    // Two looks in a row must find it well, and there is time for many.
    const { verification } = QUICK;
    await reload({ verification });
    const { incident_id, approval_id, plan_hash } = await asked();
    let looks = 0;
    // The first look is before the act. The one after it sees a target that is well, once.
    const seen = Promise.withResolvers<void>();
    const goOn = Promise.withResolvers<void>();
    target.onObserve = () => {
      looks += 1;
      if (looks !== 2) return;
      seen.resolve();
      return goOn.promise;
    };
    await app.admin.post(`/approvals/${approval_id}/approve`, { plan_hash });
    await seen.promise;
    await reload({ verification, ...to });
    goOn.resolve();
    const { verification: found } = await ended(incident_id);
    expect(looks).toBe(2);
    expect(found).toMatchObject({ result: "inconclusive", evidence: { after: { healthy: null } } });
    expect(found?.evidence.after?.facts[0]?.message).toContain(`observing it was refused (Gate ${gate}: `);
    const { rows } = await database.pool.query(
      "select data from audit_entries where action = 'gateway.call' and data->>'what' = 'look' and data->>'incident_id' = $1",
      [incident_id],
    );
    expect(rows).toMatchObject([{ data: { caller: "approval_executor", gate } }]);
  });

  it.each<[string, Settings, number]>([
    ["execution.disabled_tools", { execution: { disabled_tools: ["investigate"] } }, 2],
    ["execution.grants", { execution: { grants: { planner: [] } } }, 3],
  ])("is gone while a plan is prepared: %s", async (_what, to, gate) => {
    let looks = 0;
    target.onObserve = () => {
      looks += 1;
    };
    await reload(to);
    const { incident_id } = await asked();
    const story = await app.admin.get<{ items: { text: string }[] }>(`/incidents/${incident_id}/timeline`);
    expect(story.items.map((one) => one.text).join("\n")).toContain(
      `observing it was refused (Gate ${gate}: `,
    );
    expect(looks).toBe(0);
  });
});

describe("what a reload takes away from an undo", () => {
  it("that was signed and waits is gone like anything else", async () => {
    const operation = {
      kind: "process.restart" as const,
      target: { kind: "process" as const, name: shop },
      parameters: {},
    };
    target.undoAnswer = { ok: true, operation, leaves: null };
    hold.act(2);
    const done = await signed();
    const { execution_id } = await ended(done.incident_id);
    const other = await signed("ShopCrash");
    await until(() => hold.reached, "the act");
    await app.admin.post(`/executions/${execution_id}/undo`);
    const { approval_id, plan_hash } = await approvalIn(app.admin, done.incident_id, "pending");
    await app.admin.post(`/approvals/${approval_id}/approve`, { plan_hash });
    await waits({ approval_id });
    await reload({ execution: { frozen: true } });
    hold.release();
    await ended(other.incident_id);
    const undo = await until(
      async () =>
        (await executionsOf(done.incident_id)).find((one) => one.approval_id === approval_id && one.ended_at),
      "the undo to end",
    );
    expect(undo).toMatchObject({ status: "refused", error_code: "frozen", attempts: 0 });
    expect(target.acts).toHaveLength(2);
  });
});

describe("a reload", () => {
  it("reaches what waits for the lock of beginning, and answers when nobody is in the middle of that", async () => {
    const { incident_id, approval_id, plan_hash } = await asked();
    const client = await database.pool.connect();
    const every = [LOCKS.target, JSON.stringify(EVERY_TARGET)];
    const { hash } = await app.admin.get<{ hash: string }>("/config");
    let answered = false;
    let reloading: Promise<void>;
    try {
      // From the look on: the act that follows is the one that waits.
      target.onLook = async () =>
        void (await client.query("select pg_advisory_lock($1, hashtext($2))", every));
      await app.admin.post(`/approvals/${approval_id}/approve`, { plan_hash });
      const waiting = "select 1 from pg_locks where locktype = 'advisory' and classid = $1 and not granted";
      await until(async () => (await client.query(waiting, [LOCKS.target])).rows.length > 0, "it to wait");
      reloading = reload({ execution: { frozen: true } }).then(() => {
        answered = true;
      });
      await until(
        async () => (await app.admin.get<{ hash: string }>("/config")).hash !== hash,
        "the new one",
      );
      expect(answered).toBe(false);
    } finally {
      await client.query("select pg_advisory_unlock($1, hashtext($2))", every);
      client.release();
    }
    await reloading;
    expect(await ended(incident_id)).toMatchObject({ status: "refused", error_code: "frozen", attempts: 0 });
    expect(target.acts).toEqual([]);
  });
});

describe("what a reload takes away from a playbook that runs by itself", () => {
  const AUTO: Settings = { decision: { mode: "auto" } };
  const auto = (more: Settings): Settings => ({
    ...AUTO,
    ...more,
    decision: { mode: "auto", ...more.decision },
  });
  const TERMS: typeof TAKEN_AWAY = [
    ["decision.mode", { decision: { mode: "suggest" } }, [5, "guardrail_blocked"]],
    ["decision.playbook.trust", auto({ decision: { playbook: { trust: 0.9 } } }), [5, "guardrail_blocked"]],
    [
      "execution.automatic.max_per_hour",
      auto({ execution: { automatic: { max_per_hour: { total: 1 } } } }),
      [4, "rate_automatic_total"],
    ],
    [
      "execution.grants",
      auto({ execution: { grants: { auto_repair: ["read"] } } }),
      [3, "scope_not_granted"],
    ],
    [
      "execution.grants of the planner",
      auto({ execution: { grants: { planner: [] } } }),
      [3, "scope_not_granted"],
    ],
    ["execution.frozen", auto({ execution: { frozen: true } }), [4, "frozen"]],
  ];

  it.each<[string, Settings]>([
    ["decision.mode", { decision: { mode: "suggest" } }],
    ["execution.frozen", auto({ execution: { frozen: true } })],
    ["execution.disabled_tools", auto({ execution: { disabled_tools: ["process_restart"] } })],
  ])("is gone before it has begun: %s", async (_what, to) => {
    await reload(AUTO);
    await playbookOfTwo(true);
    const tried = Promise.withResolvers<void>();
    const goOn = Promise.withResolvers<void>();
    target.onTry = () => {
      tried.resolve();
      return goOn.promise;
    };
    const labels = { alertname: "ShopHangs", process: shop, severity: "warning" };
    const incident_id = (await post(app.url, alertmanagerBody([{ labels }]))).body.incident_id as string;
    await tried.promise;
    await reload(to);
    goOn.resolve();
    const { approval_id } = await approvalIn(app.admin, incident_id, "pending");
    expect(await app.admin.get(`/approvals/${approval_id}`)).toMatchObject({ authority: "people" });
    expect(target.acts).toEqual([]);
  });

  it.each(TERMS)("is gone for its next step: %s", async (_what, to, [gate, code]) => {
    await reload(AUTO);
    await playbookOfTwo(true);
    hold.act(1);
    const labels = { alertname: "ShopHangs", process: shop, severity: "warning" };
    const incident_id = (await post(app.url, alertmanagerBody([{ labels }]))).body.incident_id as string;
    await until(() => hold.reached, "the act");
    await reload(to);
    hold.release();
    const refused = await until(
      async () => (await executionsOf(incident_id)).find((one) => one.status === "refused"),
      "the next step to be refused",
    );
    expect(refused).toMatchObject({ step: 2, caller: "auto_repair", error_code: code, attempts: 0 });
    expect(refused.error).toMatch(new RegExp(`^Gate ${gate}: `));
    expect(target.did.map((one) => one.target?.name)).toEqual([cache]);
  });
});
