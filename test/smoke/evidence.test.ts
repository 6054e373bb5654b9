import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { RunningApp } from "../../src/app/app.ts";
import type { Approval } from "../../src/contract/approval.ts";
import type { Investigation } from "../../src/contract/evidence.ts";
import type { OperationTarget } from "../../src/contract/incident.ts";
import type { Playbook } from "../../src/contract/playbook.ts";
import type { Investigator } from "../../src/investigation/index.ts";
import type { Card, Notifier } from "../../src/notification/index.ts";
import { alertmanagerBody, post } from "../support/alerts.ts";
import { approvalIn, type Client, concluded, startTestApp } from "../support/app.ts";
import { restartOf } from "../support/approved.ts";
import { createDatabase, type TestDatabase } from "../support/database.ts";
import { clearFolder, temporaryFolder } from "../support/folder.ts";
import { ScriptedTarget } from "../support/scripted-executor.ts";
import { eventually, until } from "../support/until.ts";

const RULES = `
- {id: hung, targets: [process], findings: [hung], propose: process.restart, risk: high, reasoning: It hangs.}
- {id: full, targets: [any], findings: [disk_full], propose: investigate, risk: medium, reasoning: Make room first.}
- {id: well, targets: [any], findings: [well], propose: none, risk: low, reasoning: Nothing is wrong with it.}
- {id: down, targets: [process], keywords: [down], propose: process.restart, risk: medium, reasoning: It is down.}
- {id: last, targets: [any], propose: investigate, risk: low, reasoning: Somebody should look.}`;

// One for each test: alerts of the same one would be one incident.
const SHOPS = Array.from({ length: 20 }, (_, at) => `shop-${at}`);
let next = 0;
let shop: string;
const target = new ScriptedTarget();
let database: TestDatabase;
let folder: string;
let app: RunningApp & { admin: Client };
let found: Pick<Investigation, "findings" | "target" | "candidates">;
/** Resolved when evidence may be answered. */
let answer: Promise<void>;

const finding = (code: string): Investigation["findings"][number] => ({
  code,
  weight: "cause",
  title: `The evidence is ${code}`,
  meaning: "Look at it.",
  evidence: ["E1"],
});
const investigator: Investigator = {
  id: "imagined",
  investigates: ({ kind }) => ["process", "unknown", "node", "host"].includes(kind),
  async investigate(target, now, _signal, labels = []) {
    await answer;
    asked.push(target);
    said.push(...labels);
    const at = now.toISOString();
    const evidence = [{ id: "E1", source: "imagined", at, subject: target.name, text: "a fact" }];
    if (target.kind === "host") return { at, evidence, missing: [], target, findings: [finding("hung")] };
    return { at, evidence, missing: [], ...found };
  },
};
const asked: OperationTarget[] = [];
const said: Readonly<Record<string, string>>[] = [];

const cards: Card[] = [];
const kept: Notifier = {
  id: "kept",
  async send(card) {
    cards.push(card);
    return { ok: true };
  },
};

/** Starts the app, which waits for so long at most for evidence. */
async function start(evidence_time: string): Promise<void> {
  app = await startTestApp(
    database.url,
    folder,
    {
      processes: SHOPS.map((name) => ({ name, argv: ["/bin/true"] })),
      decision: { rules: join(folder, "rules.yaml"), evidence_time },
      incident: { correlation: { merge: false } },
      ssh: {
        known_hosts: [join(folder, "known_hosts")],
        hosts: [{ name: "web1", user: "ada", password: "unused" }],
      },
    },
    {
      adapt: (all) => ({
        ...all,
        executors: [target.executor],
        observers: [target.observer],
        investigators: [investigator],
        notifiers: [...all.notifiers, kept],
      }),
    },
  );
}
beforeAll(async () => {
  database = await createDatabase();
  folder = await temporaryFolder("evidence");
  await writeFile(join(folder, "rules.yaml"), RULES);
  await start("25s");
});
beforeEach(() => {
  shop = SHOPS[next++] as string;
  answer = Promise.resolve();
  found = { target: null, findings: [] };
});
afterAll(async () => {
  await app.stop();
  await clearFolder(folder);
  await database.drop();
});

async function fired(name: string, component = shop): Promise<string> {
  const { body } = await post(app.url, alertmanagerBody([{ labels: { alertname: name, component } }]));
  return body.incident_id as string;
}

type Decision = { rule_id: string; policy: { outcome: string }; summary: string };
const decidedBy = (id: string, rule: string) =>
  until(async () => {
    const decision = await app.admin.get<Decision>(`/incidents/${id}/decision`);
    return decision.rule_id === rule ? decision : undefined;
  }, `${id} to be decided by ${rule}`);
const approvalsOf = (id: string) =>
  app.admin.get<{ items: { status: string; risk_level: string; plan_hash: string }[] }>(
    `/approvals?incident_id=${id}`,
  );

describe("evidence", () => {
  it("gives the plan that is being prepared another content before anyone sees it", async () => {
    found.findings = [finding("hung")];
    const id = await fired("ShopDown");
    const approval = await approvalIn(app.admin, id, "pending");
    expect(await decidedBy(id, "hung")).toMatchObject({
      summary: expect.stringContaining("the evidence shows hung: The evidence is hung (E1)"),
    });
    expect((await approvalsOf(id)).items).toMatchObject([
      { status: "pending", risk_level: "high", plan_hash: approval.plan_hash },
    ]);
  });

  it("takes a plan back that would not help, and says why", async () => {
    found.findings = [finding("disk_full")];
    const id = await fired("ShopDown");
    await decidedBy(id, "full");
    expect((await approvalsOf(id)).items).toMatchObject([{ status: "superseded" }]);
    const { items } = await app.admin.get<{ items: { text: string }[] }>(`/incidents/${id}/timeline`);
    expect(items.map((one) => one.text)).toEqual(
      expect.arrayContaining([
        "Found: The evidence is disk_full",
        expect.stringMatching(/^No longer needed: Investigate process shop-\d: the evidence shows disk_full/),
      ]),
    );
  });

  it("proposes nothing where nothing is wrong", async () => {
    found.findings = [finding("well")];
    const id = await fired("ShopDown");
    expect(await decidedBy(id, "well")).toMatchObject({ policy: { outcome: "none" } });
    expect((await approvalsOf(id)).items).toMatchObject([{ status: "superseded" }]);
  });

  it("leaves alone what is well, whatever a playbook would do", async () => {
    const { items } = await app.admin.post<{ items: { playbook: Playbook }[] }>("/playbooks", {
      playbooks: [
        {
          name: "restart-what-hangs",
          pattern: { alert_names: ["ShopHangs"] },
          steps: [{ operation: "process.restart" }],
        },
      ],
    });
    const { playbook_id, hash } = items[0]!.playbook;
    await app.admin.post(`/playbooks/${playbook_id}/approve`, { hash });
    found.findings = [finding("well")];
    const id = await fired("ShopHangs");
    expect(await decidedBy(id, "well")).toMatchObject({ policy: { outcome: "none" } });
    expect((await approvalsOf(id)).items).toMatchObject([{ status: "superseded" }]);
  });

  it("proposes a repair where the alert's name had none", async () => {
    found.findings = [finding("hung")];
    const id = await fired("ShopOdd");
    const approval = await approvalIn(app.admin, id, "pending");
    expect((await approvalsOf(id)).items).toMatchObject([{ risk_level: "high" }]);
    await app.admin.post(`/approvals/${approval.approval_id}/reject`, { reason: "not now" });
  });

  it("finds the exact object that an alert is about", async () => {
    found = { target: { kind: "process", name: shop }, findings: [finding("hung")] };
    const id = await fired("Odd", "the-shop");
    await approvalIn(app.admin, id, "pending");
    expect(await app.admin.get(`/incidents/${id}`)).toMatchObject({
      operation_target: { kind: "process", name: shop },
    });
  });

  it("is read of the host of that name where no cluster has such a node", async () => {
    const alert = (node: string) => alertmanagerBody([{ labels: { alertname: "KubeNodeNotReady", node } }]);
    const of = async (node: string) => (await post(app.url, alert(node))).body.incident_id as string;
    const targets = async (id: string) =>
      (await app.admin.get<{ operation_target: object }>(`/incidents/${id}`)).operation_target;
    const web1 = await of("web1");
    await until(async () => asked.some(({ kind }) => kind === "host"), "the host to be looked at");
    await eventually(async () => expect(await targets(web1)).toEqual({ kind: "host", name: "web1" }));
    expect(asked).toContainEqual({ kind: "node", name: "web1" });
    // A cluster that knows the node is believed, whatever host is called so.
    found.target = { kind: "node", name: "web2" };
    const web2 = await of("web2");
    await until(async () => asked.some(({ name }) => name === "web2"), "the node to be looked at");
    expect(await targets(web2)).toEqual({ kind: "node", name: "web2" });
  });

  it("leaves open what an alert is about: nothing acts, a playbook neither, and people hear what it could be", async () => {
    const { items } = await app.admin.post<{ items: { playbook: Playbook }[] }>("/playbooks", {
      playbooks: [
        {
          name: "restart-what-stalls",
          pattern: { alert_names: ["ShopStalls"] },
          steps: [{ operation: "process.restart" }],
        },
      ],
    });
    const { playbook_id, hash } = items[0]!.playbook;
    await app.admin.post(`/playbooks/${playbook_id}/approve`, { hash });
    const candidates = ["shop", "shop-canary"].map((namespace) => ({
      target: { kind: "deployment", name: "api", namespace },
      reason: "it has this name",
    }));
    for (const name of ["ShopStalls", "ShopDown"]) {
      shop = SHOPS[next++] as string;
      const own = { kind: "process", name: shop };
      found = { target: own, findings: [finding("hung")], candidates };
      const id = await fired(name);
      const decision = await until(async () => {
        const one = await app.admin.get<Decision>(`/incidents/${id}/decision`);
        return one.summary.includes("ambiguous") ? one : undefined;
      }, `${id} to be left open`);
      expect(decision).toMatchObject({ rule_id: null, proposal: { operation: { kind: "investigate" } } });
      expect((await approvalsOf(id)).items).toMatchObject([{ status: "superseded" }]);
      expect(await app.admin.get(`/incidents/${id}`)).toMatchObject({ operation_target: own });
      expect(await app.admin.get(`/incidents/${id}/evidence`)).toMatchObject({ candidates });
      const said = "Could be: deployment/api in shop, deployment/api in shop-canary; name one with the label";
      const timeline = await app.admin.get<{ items: { text: string }[] }>(`/incidents/${id}/timeline`);
      expect(timeline.items.map((one) => one.text)).toContainEqual(expect.stringContaining(said));
      await until(
        () => cards.find((one) => one.topic === "incident.diagnosed" && one.incident_id === id),
        "the card",
      ).then(({ lines }) => expect(lines).toContainEqual(expect.stringContaining(said)));
    }
  });

  it("is on the card, what looks well first, and else the beginning of what was read", async () => {
    const titled = (code: string, title: string) => ({ ...finding(code), title });
    found.findings = [titled("probe_slow", "It is slow"), titled("process_healthy", "It looks well now")];
    const card = async (id: string, topic: Card["topic"]) =>
      (await until(() => cards.find((one) => one.topic === topic && one.incident_id === id), "the card"))
        .lines;
    const id = await fired("ShopDown");
    await approvalIn(app.admin, id, "pending");
    expect((await card(id, "approval.pending")).slice(0, 2)).toEqual(["It looks well now", "It is slow"]);
    found.findings = [];
    shop = SHOPS[next++] as string;
    const other = await fired("ShopDown");
    await approvalIn(app.admin, other, "pending");
    expect((await card(other, "approval.pending"))[0]).toBe(`${shop}: a fact`);
    // Those who look see what the alert's labels say.
    expect(said).toContainEqual(expect.objectContaining({ component: shop, alertname: "ShopDown" }));
  });

  it("does not speak against an undo that people asked for", async () => {
    target.undoAnswer = { ok: true, operation: restartOf(shop), leaves: null };
    const id = await fired("ShopDown");
    const { approval_id, plan_hash } = await approvalIn(app.admin, id, "pending");
    await app.admin.post(`/approvals/${approval_id}/approve`, { plan_hash });
    await concluded(app.admin, id);
    const { items } = await app.admin.get<{ items: { execution_id: string }[] }>(
      `/incidents/${id}/executions`,
    );
    found.findings = [finding("disk_full")];
    const asked = await app.admin.post<Approval>(`/executions/${items[0]?.execution_id}/undo`);
    const ready = await approvalIn(app.admin, id, "pending");
    expect(await app.admin.get(`/approvals/${ready.approval_id}`)).toMatchObject({
      approval_id: asked.approval_id,
      decision_token: asked.decision_token,
      requested_by: "admin",
      operation: restartOf(shop),
    });
    expect((await app.admin.get<Investigation>(`/incidents/${id}/evidence`)).findings).toHaveLength(1);
  });

  it("of what has become an effect meanwhile leads to nothing of its own", async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    answer = promise;
    found.findings = [finding("hung")];
    const main = await fired("ShopOdd");
    shop = SHOPS[next++] as string;
    const effect = await fired("ShopOdd");
    await app.admin.post(`/incidents/${effect}/merge`, { into: main });
    resolve();
    await approvalIn(app.admin, main, "pending");
    await until(
      async () => (await app.admin.get(`/incidents/${effect}/evidence`)) ?? undefined,
      "its evidence",
    );
    expect((await approvalsOf(effect)).items).toEqual([]);
  });

  it("is kept with its incident", async () => {
    found.findings = [finding("disk_full")];
    const id = await fired("ShopDown");
    await decidedBy(id, "full");
    expect(await app.admin.get(`/incidents/${id}/evidence`)).toMatchObject({
      evidence: [{ id: "E1", source: "imagined", text: "a fact" }],
      findings: [{ code: "disk_full", evidence: ["E1"] }],
    });
  });

  it("that does not come keeps no plan waiting", async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    answer = promise;
    await app.stop();
    await start("300ms");
    const id = await fired("ShopDown");
    await approvalIn(app.admin, id, "pending");
    expect(await app.admin.get(`/incidents/${id}/evidence`)).toMatchObject({
      evidence: [],
      missing: [expect.stringContaining("imagined")],
    });
    resolve();
  });
});
