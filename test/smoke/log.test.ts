import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { alertmanagerBody, post } from "../support/alerts.ts";
import { approvalIn, startTestApp } from "../support/app.ts";
import { createDatabase, type TestDatabase } from "../support/database.ts";
import { clearFolder, temporaryFolder } from "../support/folder.ts";
import { capturedLog } from "../support/log.ts";
import { ScriptedTarget } from "../support/scripted-executor.ts";
import { until } from "../support/until.ts";

let database: TestDatabase;
let folder: string;
let target: ScriptedTarget;
let app: Awaited<ReturnType<typeof startTestApp>>;
let log: ReturnType<typeof capturedLog>;

beforeEach(async () => {
  database = await createDatabase();
  folder = await temporaryFolder("log");
  target = new ScriptedTarget();
  log = capturedLog();
  app = await startTestApp(
    database.url,
    folder,
    { processes: [{ name: "shop", argv: ["/bin/true"] }] },
    {
      log: log.log,
      adapt: (one) => ({ ...one, executors: [target.executor], observers: [target.observer] }),
    },
  );
});
afterEach(async () => {
  await app.stop();
  await database.drop();
  await clearFolder(folder);
});

const firing = alertmanagerBody([{ labels: { alertname: "ShopDown", service: "shop" } }]);

describe("the log", () => {
  it("tells an incident's whole story under its id, and nothing alarming where all is well", async () => {
    const incident_id = (await post(app.url, firing)).body.incident_id as string;
    const { approval_id, plan_hash } = await approvalIn(app.admin, incident_id, "pending");
    target.onAct = () => {
      // Whatever an adapter logs meanwhile: it does not know the incident, its line does.
      log.log.info({ process: "shop" }, "an adapter's own words");
      target.healthy = true;
      return { ok: true, output: "restarted" };
    };
    await app.admin.post(`/approvals/${approval_id}/approve`, { plan_hash });
    await until(async () => {
      const { rows } = await database.pool.query(
        "select 1 from dbos.workflow_status where status <> 'SUCCESS'",
      );
      return rows.length === 0 && log.text().includes("learning.disposition");
    }, "all work to be done");
    const lines = log.lines();
    const about = lines.filter((line) => line.incident_id === incident_id);
    const said = about.filter((line) => line.level === "info").map((line) => line.msg);
    expect(said.filter((text) => text !== "answered")).toEqual([
      "incident.opened",
      "decision.made",
      "approval.requested",
      "approval.presented",
      "approval.signed",
      "approval.approved",
      "execution.created",
      "execution.started",
      "an adapter's own words",
      "execution.ended",
      "learning.repair",
      "incident.resolved",
      "learning.disposition",
    ]);
    const execution = about.find((line) => line.msg === "an adapter's own words");
    expect(execution).toMatchObject({ approval_id, execution_id: expect.stringMatching(/^EXE-/) });
    expect(lines.filter((line) => ["warn", "error"].includes(line.level))).toEqual([]);
    // What is about an approval or an execution always says of which incident.
    const lost = lines.filter(
      (line) => (line.execution_id ?? line.approval_id) !== undefined && line.incident_id === undefined,
    );
    expect(lost.filter((line) => line.msg !== "answered")).toEqual([]);
  });

  it("has one line for each write, none above debug for what reads or sends, all under the request's id", async () => {
    const incident_id = (await post(app.url, firing)).body.incident_id as string;
    await app.admin.get("/incidents");
    await app.admin.post(`/incidents/${incident_id}/comment`, { text: "looking" });
    await app.admin.call("POST", "/incidents/INC-NONE/comment", { text: "looking" });
    await until(() => log.lines().filter((line) => line.msg === "answered").length >= 4, "the lines");
    const answered = log.lines().filter((line) => line.msg === "answered");
    const writes = answered.filter((line) => line.level === "info");
    const comment = { method: "POST", path: "/api/v1/incidents/:id/comment", actor: "admin" };
    expect(writes).toMatchObject([
      { ...comment, status: 200, incident_id },
      { ...comment, status: 404, code: "not_found", incident_id: "INC-NONE" },
    ]);
    expect(answered.find((line) => line.path === "/api/v1/webhooks/alertmanager")?.level).toBe("debug");
    const told = log.lines().find((line) => line.msg === "incident.commented");
    expect(told?.request_id).toBe(writes[0]?.request_id);
    expect(new Set(answered.map((line) => line.request_id)).size).toBe(answered.length);
  });

  it("has the reference of an unexpected error, which the caller is given", async () => {
    const { body } = await post(app.url, firing);
    await database.pool.query("alter table timeline drop column text");
    const path = `/incidents/${body.incident_id}/timeline`;
    const answer = await app.admin.call("GET", path);
    expect(answer).toMatchObject({ status: 500, body: { code: "internal" } });
    const { reference } = answer.body as { reference: string };
    const lines = await until(() => {
      const found = log.lines().filter((line) => line.request_id === reference);
      return found.length > 1 && found;
    }, "the lines of the request");
    expect(lines.find((line) => line.level === "error")).toMatchObject({
      reference,
      path: "/api/v1/incidents/:id/timeline",
      stack: expect.stringContaining("column"),
    });
  });
});
