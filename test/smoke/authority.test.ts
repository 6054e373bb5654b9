import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { RunningApp } from "../../src/app/app.ts";
import type { Approval } from "../../src/contract/approval.ts";
import type { Execution } from "../../src/contract/execution.ts";
import type { TimelineEvent } from "../../src/contract/incident.ts";
import type { OperationLogEntry } from "../../src/contract/operation-log.ts";
import { alertmanagerBody, post } from "../support/alerts.ts";
import { approvalIn, type Client, client, concluded, SCRIPTED, startTestApp } from "../support/app.ts";
import { createDatabase, type TestDatabase } from "../support/database.ts";
import { clearFolder, temporaryFolder } from "../support/folder.ts";
import { ScriptedTarget } from "../support/scripted-executor.ts";
import { until } from "../support/until.ts";

const SHOPS = Array.from({ length: 10 }, (_, at) => `shop-${at}`);
let next = 0;
let shop: string;
let database: TestDatabase;
let folder: string;
let app: RunningApp & { admin: Client };
const target = new ScriptedTarget();
/** What happens after the quorum and before gate five. */
let beforeActing = async () => {};
const { snapshot } = target.executor;
target.executor.snapshot = async (operation) => {
  await beforeActing();
  return snapshot(operation);
};

beforeAll(async () => {
  database = await createDatabase();
  folder = await temporaryFolder("authority");
  const settings = {
    verification: SCRIPTED,
    processes: SHOPS.map((name) => ({ name, argv: ["/bin/true"] })),
    incident: { correlation: { merge: false } },
    approval: { required_signatures: { medium: 2 } },
  };
  app = await startTestApp(database.url, folder, settings, {
    adapt: (all) => ({ ...all, executors: [target.executor], observers: [target.observer] }),
  });
});
beforeEach(() => {
  shop = SHOPS[next++] as string;
  target.acts = [];
  target.healthy = false;
  beforeActing = async () => {};
});
afterAll(async () => {
  await app.stop();
  await clearFolder(folder);
  await database.drop();
});

type Signer = Client & { token_id: string; name: string };
async function signer(name: string, role = "approver"): Promise<Signer> {
  const made = await app.admin.post<{ token: string; token_id: string }>("/tokens", { name, role });
  return { ...client(app.url, made.token), token_id: made.token_id, name };
}
const revoke = (who: Signer, body?: object) => app.admin.call("DELETE", `/tokens/${who.token_id}`, body);
async function asked(): Promise<{ incident_id: string; approval_id: string; plan_hash: string }> {
  const labels = { alertname: "ShopDown", component: shop, severity: "warning" };
  const { body } = await post(app.url, alertmanagerBody([{ labels }]));
  const incident_id = body.incident_id as string;
  return approvalIn(app.admin, incident_id, "pending");
}
const sign = (who: Client, { approval_id, plan_hash }: { approval_id: string; plan_hash: string }) =>
  who.post<Approval>(`/approvals/${approval_id}/approve`, { plan_hash });
const shown = (approval_id: string) => app.admin.get<Approval>(`/approvals/${approval_id}`);

describe("who has left", () => {
  it("does not count for a quorum, which the approval says", async () => {
    const [eve, bob] = [await signer("eve"), await signer("bob")];
    const plan = await asked();
    await sign(eve, plan);
    expect((await revoke(eve)).status).toBe(204);
    const after = await sign(bob, plan);
    expect(after).toMatchObject({ status: "pending", required_signatures: 2 });
    expect(after.signatures).toMatchObject([
      { signer: "eve", signer_kind: "person", counts: false, why_not: "all their tokens are revoked" },
      { signer: "bob", signer_kind: "person", counts: true, why_not: null },
    ]);
    await sign(app.admin, plan);
    await concluded(app.admin, plan.incident_id);
    expect(target.acts).toHaveLength(1);
  });

  it("does not count at the moment of acting: it comes back to people, and is done when it is signed again", async () => {
    const [mia, tom] = [await signer("mia"), await signer("tom")];
    const plan = await asked();
    beforeActing = async () => {
      beforeActing = async () => {};
      await revoke(mia);
    };
    await sign(mia, plan);
    await sign(tom, plan);
    const refused = await until(async () => {
      const { items } = await app.admin.get<{ items: Execution[] }>(
        `/incidents/${plan.incident_id}/executions`,
      );
      return items.find((one) => one.status === "refused");
    }, "the execution to be refused");
    expect(refused).toMatchObject({ error_code: "signature_lapsed", attempts: 0 });
    expect(refused.error).toContain(
      "Gate 5: too few signatures of this plan are still valid (mia: all their tokens",
    );
    expect(target.acts).toEqual([]);
    expect((await shown(plan.approval_id)).signatures.map((one) => one.counts)).toEqual([false, true]);
    const again = await approvalIn(app.admin, plan.incident_id, "pending");
    expect(again.approval_id).not.toBe(plan.approval_id);
    await sign(tom, again);
    await sign(app.admin, again);
    await concluded(app.admin, plan.incident_id);
    expect(target.acts).toHaveLength(1);
  });

  it("counts still where the admin says that they leave on good terms, and in what has been done", async () => {
    const [kim, leo] = [await signer("kim"), await signer("leo")];
    const plan = await asked();
    await sign(kim, plan);
    await revoke(kim, { keep_signatures: true });
    await sign(leo, plan);
    await concluded(app.admin, plan.incident_id);
    expect(target.acts).toHaveLength(1);
    await revoke(leo);
    const done = await shown(plan.approval_id);
    expect(done).toMatchObject({ status: "execution_success" });
    expect(done.signatures.map((one) => one.counts)).toEqual([true, true]);
    const { items } = await app.admin.get<{ items: { name: string; keeps_signatures: boolean }[] }>(
      "/tokens",
    );
    const kept = items.filter((one) => one.keeps_signatures).map((one) => one.name);
    expect(kept).toEqual(["kim"]);
  });
});

describe("what else somebody has in force who leaves", () => {
  it("is in the answer to the revocation, and stays", async () => {
    const [zoe, max] = [await signer("zoe"), await signer("max")];
    const { items } = await zoe.post<{ items: { playbook: { playbook_id: string; name: string } }[] }>(
      "/playbooks",
      {
        playbooks: ["left-lapsed", "left-other"].map((name) => ({
          name,
          pattern: { alert_names: ["Nobody"] },
          steps: [{ operation: "process.restart" }],
        })),
      },
    );
    const [own, other] = items.map((one) => one.playbook);
    await zoe.post(`/playbooks/${own!.playbook_id}/approve`);
    await max.post(`/playbooks/${other!.playbook_id}/approve`);
    const matchers = [{ name: "never", value: "fits", is_regex: false, is_equal: true }];
    const made = (who: Client, duration: number) =>
      who.post<{ silence_id: string }>("/silences", { matchers, duration, comment: "noisy" });
    const { silence_id } = await made(zoe, 3600);
    await zoe.post(`/silences/${(await made(zoe, 3600)).silence_id}/expire`);
    await made(max, 3600);
    expect(await revoke(zoe)).toMatchObject({ status: 204 });
    const lapsed = expect.stringContaining("all their tokens are revoked");
    expect(await app.admin.get(`/tokens/${zoe.token_id}/in-force`)).toEqual({
      token_id: zoe.token_id,
      person_id: expect.any(String),
      person: "zoe",
      silences: [{ silence_id, comment: "noisy", ends_at: expect.any(String) }],
      playbooks: [{ playbook_id: own!.playbook_id, name: "left-lapsed", lapsed }],
    });
    expect(await app.admin.get(`/silences/${silence_id}`)).toMatchObject({ status: "active" });
    expect(await app.admin.get(`/playbooks/${own!.playbook_id}`)).toMatchObject({ status: "approved" });
  });
});

describe("the kind of who did something", () => {
  it("is a field wherever it is shown", async () => {
    const plan = await asked();
    const { incident_id } = plan;
    expect(await shown(plan.approval_id)).toMatchObject({
      requested_by: "expert_system",
      requested_by_kind: "system",
    });
    await app.admin.post(`/incidents/${incident_id}/comment`, { text: "looking" });
    await app.admin.post(`/incidents/${incident_id}/resolve`, {});
    const { outcome } = await concluded(app.admin, incident_id);
    expect(outcome).toMatchObject({ resolved_by: "admin", resolved_by_kind: "person" });
    const { items } = await app.admin.get<{ items: TimelineEvent[] }>(`/incidents/${incident_id}/timeline`);
    const kinds = new Set(items.map((one) => `${one.actor}: ${one.actor_kind}`));
    // The sweep may have been quicker than a workflow.
    kinds.delete("sweep (system): system");
    expect(kinds).toEqual(new Set(["intake (system): system", "pipeline (system): system", "admin: person"]));
    const log = await app.admin.get<{ items: OperationLogEntry[] }>(
      `/operation-log?incident_id=${incident_id}`,
    );
    expect(log.items.map((one) => one.actor_kind)).toEqual(log.items.map(() => "system"));
    const { rows } = await database.pool.query(
      `select count(*)::int as n from timeline where actor_kind is null
       union all select count(*)::int from approvals where requested_by_kind is null
       union all select count(*)::int from tokens where created_by_kind is null`,
    );
    expect(rows.map((row) => row.n)).toEqual([0, 0, 0]);
  });

  it("of freezes, silences, tokens and playbooks too", async () => {
    await app.admin.call("PUT", "/freeze", { why: "a release" });
    expect(await app.admin.get("/freeze")).toMatchObject({
      freezes: [{ frozen_by: "admin", frozen_by_kind: "person" }],
    });
    await app.admin.call("DELETE", "/freeze");
    const matchers = [{ name: "component", value: "nothing", is_regex: false, is_equal: true }];
    expect(await app.admin.post("/silences", { matchers, duration: 60, comment: "quiet" })).toMatchObject({
      created_by: "admin",
      created_by_kind: "person",
      ended_by_kind: null,
    });
    const { items } = await app.admin.get<{ items: object[] }>("/tokens");
    expect(items.at(-1)).toMatchObject({ created_by: "configuration", created_by_kind: "system" });
    const pattern = { alert_names: ["Nothing"] };
    const made = await app.admin.post("/playbooks", {
      playbooks: [{ name: "nothing", pattern, steps: [{ operation: "process.restart" }] }],
    });
    expect(made).toMatchObject({
      items: [{ playbook: { created_by_kind: "person", approved_by_kind: null } }],
    });
  });

  it("cannot be borrowed: an owner is no part of the system, nor somebody that only looks like a person", async () => {
    await signer("nina");
    const { incident_id } = await asked();
    const assign = (owner: string) => app.admin.call("POST", `/incidents/${incident_id}/assign`, { owner });
    for (const owner of ["sweep", "sweep (system)", "пipeline (system)", "nіna", "ｎína"])
      expect([owner, (await assign(owner)).status]).toEqual([owner, 422]);
    for (const owner of ["nina", "the night shift", "夜班"])
      expect([owner, (await assign(owner)).status]).toEqual([owner, 200]);
  });

  it("is not what Alertmanager's API says of who made a silence", async () => {
    const headers = {
      authorization: "Bearer test-admin-token-of-forty-characters-long",
      "content-type": "application/json",
    };
    const [startsAt, endsAt] = [new Date().toISOString(), new Date(Date.now() + 60_000).toISOString()];
    const matchers = [{ name: "a", value: "b", isRegex: false, isEqual: true }];
    const body = JSON.stringify({ matchers, startsAt, endsAt, createdBy: "sweep (system)", comment: "mine" });
    const answer = await fetch(`${app.url}/api/v2/silences`, { method: "POST", headers, body });
    const { silenceID } = (await answer.json()) as { silenceID: string };
    expect(await app.admin.get(`/silences/${silenceID}`)).toMatchObject({
      created_by: "admin",
      created_by_kind: "person",
    });
  });
});
