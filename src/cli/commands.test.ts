import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import {
  APPROVAL,
  AT,
  as,
  EXECUTION,
  FakeServer,
  HASH,
  INCIDENT,
  oneIncident,
  page,
  RESULT,
  refusal,
  TOKEN,
} from "../../test/support/cli-server.ts";
import { createdToken, createToken, inForce, token } from "../contract/access.ts";
import { type Approval, approval, reject } from "../contract/approval.ts";
import { investigation } from "../contract/evidence.ts";
import { type Execution, execution } from "../contract/execution.ts";
import {
  assign,
  comment,
  feedback,
  type Incident,
  incident,
  optionalComment,
  timelineEvent,
} from "../contract/incident.ts";
import { pruneAnswer, pruneBody, storageReport } from "../contract/storage.ts";
import { auditEntry, auditReport } from "../contract/system.ts";
import { webhookAnswer } from "../contract/webhook.ts";

const server = new FakeServer();
beforeAll(() => server.start());
afterAll(() => server.stop());

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "awoooi-cli-"));
});
afterAll(() => rmSync(folder, { recursive: true }));
const own = `/incidents/${INCIDENT.incident_id}`;
beforeEach(() => {
  server.seen = [];
  server.answers = oneIncident();
});

describe("incidents", () => {
  it("lists with the filters that were given, and says how to go on", async () => {
    server.answers["GET /incidents"] = page(incident, [INCIDENT], "next_1");
    const argv = ["--status", "investigating", "--severity", "P0", "--service", "shop & co", "--limit", "1"];
    const { code, stdout, stderr } = await server.awoooi(["incidents", "ls", ...argv, "--cursor", "abc"]);
    expect(code).toBe(0);
    expect(Object.fromEntries(server.seen[0]?.query ?? [])).toEqual({
      status: "investigating",
      severity: "P0",
      service: "shop & co",
      limit: "1",
      cursor: "abc",
    });
    expect(server.seen[0]?.authorization).toBe(`Bearer ${TOKEN}`);
    expect(stdout).toMatch(/^INCIDENT +SEV +STATUS .*\nINC-20260701-ABC123 +P0 +waiting for signature +3 /);
    expect(stderr).toContain("--cursor next_1");
  });

  it("shows the whole story and the line that approves what waits", async () => {
    const { code, stdout } = await server.awoooi(["incidents", "show", INCIDENT.incident_id]);
    expect(code).toBe(0);
    expect(stdout).toContain("ask (suggest): the mode is suggest");
    expect(stdout).toContain("process.restart on process / demo-shop");
    expect(stdout).toContain("2026-07-01 12:00:00Z  alert  intake: fired");
    expect(stdout).toMatch(/\nNext\nIt waits for 1 signature, .*\n {2}awoooi approvals approve APR-1\n/);
    expect(server.seen.find((one) => one.call === "GET /approvals")?.query.get("incident_id")).toBe(
      INCIDENT.incident_id,
    );
  });

  it("shows what its target could be, where that is not certain, and how an alert says which", async () => {
    const links = { evidence: `/api/v1${own}/evidence` };
    server.answers[`GET ${own}`] = as(incident, { ...INCIDENT, links });
    const api = { kind: "deployment", name: "api", namespace: "shop" };
    const seen = {
      at: AT,
      target: { kind: "unknown", name: "api" },
      evidence: [],
      findings: [],
      missing: [],
    };
    const candidates = [api, { ...api, namespace: "shop-canary" }].map((target) => ({
      target,
      reason: "it has this name",
    }));
    server.answers[`GET ${own}/evidence`] = as(investigation, { ...seen, candidates });
    const { stdout } = await server.awoooi(["incidents", "show", INCIDENT.incident_id]);
    expect(stdout).toContain(
      "Could be: deployment/api in shop, deployment/api in shop-canary; name one with the label `namespace`",
    );
    server.answers[`GET ${own}/evidence`] = { json: null };
    const none = await server.awoooi(["incidents", "show", INCIDENT.incident_id]);
    expect(none).toMatchObject({ code: 0, stdout: expect.not.stringContaining("Could be") });
  });

  it("shows what was found of its target, and the beginning of what was read", async () => {
    const links = { evidence: `/api/v1${own}/evidence` };
    server.answers[`GET ${own}`] = as(incident, { ...INCIDENT, links });
    const fact = (id: string, text: string) => ({ id, source: "ssh", at: AT, subject: "host box-1", text });
    const finding = {
      code: "host_healthy",
      weight: "note",
      title: "box-1 looks healthy now: load 0.1 on 4 cores",
      meaning: "It is over, or elsewhere.",
      evidence: ["E2"],
    };
    server.answers[`GET ${own}/evidence`] = as(investigation, {
      at: AT,
      target: { kind: "host", name: "box-1" },
      evidence: [
        fact("E1", Array.from({ length: 20 }, (_, at) => `disk ${at}`).join("\n")),
        fact("E2", "load 0.1"),
      ],
      findings: [finding],
      missing: ["units of box-1 could not be read"],
    });
    const { stdout } = await server.awoooi(["incidents", "show", INCIDENT.incident_id]);
    expect(stdout).toContain(
      "Evidence, seen at 2026-07-01 12:00:00Z\nNOTE  box-1 looks healthy now: load 0.1 on 4 cores\n",
    );
    expect(stdout).toContain("      disk 11\n      and 8 more lines\n");
    expect(stdout).toContain("Not read (1 thing)\n  units of box-1 could not be read\n");
    expect(stdout.match(/host box-1: load 0\.1/)).toBeNull();
  });

  it("shows what was done, and that nothing is left to do", async () => {
    const outcome = {
      disposition: "human_approved",
      execution_success: true,
      execution_id: "EXE-1",
      resolved_by: "ada",
    };
    server.answers[`GET ${own}`] = as(incident, {
      ...INCIDENT,
      status: "resolved",
      activity: null,
      resolved_at: AT,
      outcome,
    });
    server.answers[`GET ${own}/executions`] = page(execution, [EXECUTION]);
    const { stdout } = await server.awoooi(["incidents", "show", INCIDENT.incident_id]);
    expect(stdout).toContain("success: healthy again");
    expect(stdout).toContain("Nothing: it is resolved (human approved, by ada).");
  });

  const next = async (
    activity: Incident["activity"],
    plan: Partial<Approval>,
    last: Partial<Execution> = {},
  ) => {
    server.answers[`GET ${own}`] = as(incident, { ...INCIDENT, activity });
    server.answers["GET /approvals"] = page(approval, [{ ...APPROVAL, ...plan }]);
    server.answers[`GET ${own}/executions`] = page(execution, [{ ...EXECUTION, ...last }]);
    const { stdout } = await server.awoooi(["incidents", "show", INCIDENT.incident_id]);
    return stdout.slice(stdout.indexOf("\nNext\n") + 6).split("\n");
  };
  it.each([
    [
      "the plan was rejected: a deployment is under way.",
      { status: "rejected", reject_reason: "a deployment is under way" },
      {},
    ],
    ["the plan was not signed in time.", { status: "expired" }, {}],
    ["the plan was signed but not started in time.", { status: "expired", authority_until: AT }, {}],
    [
      "the repair did not help: it is down again.",
      { status: "execution_failed" },
      { status: "failed", error: "it is down again" },
    ],
    [
      "the plan was refused: Gate 5: it is another plan.",
      { status: "execution_failed" },
      { status: "refused", error: "Gate 5: it is another plan." },
    ],
  ] as const)("says that it is with a person as %s", async (why, plan, last) => {
    const [first, second] = await next("needs_a_person", plan, last);
    expect(first).toBe(`This needs a person: ${why}`);
    expect(second).toBe(`  awoooi incidents ack ${INCIDENT.incident_id}`);
  });

  it("names the freeze that a plan met, and when it comes back", async () => {
    const last = { status: "refused", error: "Gate 4: frozen by ada", error_code: "frozen" } as const;
    const [first, second] = await next("needs_a_person", { status: "execution_failed" }, last);
    expect(first).toContain("(Gate 4: frozen by ada); it is proposed again as soon as changes are allowed.");
    expect(second).toBe("  awoooi freeze status");
  });

  it("asks nobody for what was repaired and has not ended", async () => {
    const [first] = await next("under_watch", { status: "execution_success" });
    expect(first).toBe("Nothing: its repair was verified, and its alert has not resolved yet.");
  });

  it("shows an incident about which nothing was decided, and asks for a person", async () => {
    server.answers[`GET ${own}`] = as(incident, { ...INCIDENT, decision: null });
    server.answers["GET /approvals"] = page(approval, []);
    const { stdout } = await server.awoooi(["incidents", "show", INCIDENT.incident_id]);
    expect(stdout).toContain("This needs a person: nothing has been decided.");
    expect(stdout).toContain(`awoooi incidents ack ${INCIDENT.incident_id}`);
    expect(server.calls()).not.toContain(`GET ${own}/decision`);
  });

  it("reads a long timeline to its end", async () => {
    const events = Array.from({ length: 700 }, (_, index) =>
      timelineEvent.parse({
        seq: index + 1,
        at: AT,
        kind: "comment",
        actor: "ada",
        text: `e${index}`,
        data: {},
      }),
    );
    server.answers[`GET ${own}/timeline`] = ({ query }) => {
      const after = Number(query.get("after") ?? 0);
      return { json: { items: events.slice(after, after + 500) } };
    };
    const { stdout } = await server.awoooi(["incidents", "show", INCIDENT.incident_id, "--json"]);
    expect(JSON.parse(stdout).timeline).toEqual(events);
  });

  it("acknowledges, comments and resolves", async () => {
    server.answers[`POST ${own}/acknowledge`] = as(incident, {
      ...INCIDENT,
      owner: "ada",
      acknowledged_at: AT,
    });
    server.answers[`POST ${own}/comment`] = as(incident, INCIDENT);
    server.answers[`POST ${own}/resolve`] = as(incident, { ...INCIDENT, status: "resolved" });
    const id = INCIDENT.incident_id;
    expect((await server.awoooi(["incidents", "ack", id])).stdout).toContain("its owner is ada");
    expect((await server.awoooi(["incidents", "comment", id, "on it"])).code).toBe(0);
    expect((await server.awoooi(["incidents", "resolve", id, "--comment", "disk"])).stdout).toContain(
      "is resolved",
    );
    const [ack, said, resolved] = server.seen.map((one) => one.body);
    expect(ack).toBe("");
    expect(comment.parse(JSON.parse(said ?? ""))).toEqual({ text: "on it" });
    expect(optionalComment.parse(JSON.parse(resolved ?? ""))).toEqual({ comment: "disk" });
  });

  it("reopens, closes, assigns and judges", async () => {
    const id = INCIDENT.incident_id;
    for (const [verb, change] of Object.entries({
      reopen: { status: "investigating" },
      close: { status: "closed" },
      assign: { owner: null },
      feedback: {},
    }))
      server.answers[`POST ${own}/${verb}`] = as(incident, { ...INCIDENT, ...change });
    const said = async (...words: string[]) => (await server.awoooi(["incidents", ...words])).stdout;
    expect(await said("reopen", id, "--comment", "again")).toContain("is investigating");
    expect(await said("close", id)).toContain("is closed");
    expect(await said("assign", id)).toContain("is not set");
    expect(await said("feedback", id, "--score", "4", "--remember")).toContain("is kept");
    expect((await server.awoooi(["incidents", "feedback", id, "--score", "6"])).code).toBe(2);
    const [reopened, closed, assigned, judged] = server.seen.map((one) => one.body ?? "");
    expect(optionalComment.parse(JSON.parse(reopened ?? ""))).toEqual({ comment: "again" });
    expect(closed).toBe("");
    expect(assign.parse(JSON.parse(assigned ?? ""))).toEqual({ owner: null });
    expect(feedback.parse(JSON.parse(judged ?? ""))).toEqual({
      effectiveness_score: 4,
      should_remember: true,
    });
  });
});

describe("approvals", () => {
  it("shows plan, checks, hash and what a signature allows", async () => {
    const { stdout } = await server.awoooi(["approvals", "show", "APR-1"]);
    for (const text of [
      HASH,
      "✓ target: it runs",
      "✗ permission: not asked",
      "0 of 1",
      "data NONE",
      "medium",
    ]) {
      expect(stdout).toContain(text);
    }
  });

  it("counts pods of what can have some only", async () => {
    const restart = { kind: "kubernetes.rollout_restart", target: null, parameters: {} };
    const shown = async () => (await server.awoooi(["approvals", "show", "APR-1"])).stdout;
    expect(await shown()).toMatch(/blast radius +away for about 5 s, data NONE/);
    server.answers["GET /approvals/APR-1"] = as(approval, { ...APPROVAL, steps: [restart] });
    expect(await shown()).toMatch(/blast radius +0 pods, away/);
  });

  it("signs exactly the hash that it showed, after a yes", async () => {
    const at = { isTTY: true, stdin: "y\nmore", env: { NO_COLOR: "1" } };
    const { code, stdout, stderr } = await server.awoooi(
      ["approvals", "approve", "APR-1", "--comment", "ok"],
      at,
    );
    expect(code).toBe(0);
    expect(stdout).toContain(HASH);
    expect(stdout).toContain("✗ permission: not asked");
    expect(stderr).toContain("1 check did not pass.");
    expect(stderr).toContain("[y/N]");
    expect(JSON.parse(server.seen[1]?.body ?? "")).toEqual({ plan_hash: HASH, comment: "ok" });
  });

  it.each(["n\n", "", "yesterday\n"])("signs nothing after %j", async (stdin) => {
    const { code, stderr } = await server.awoooi(["approvals", "approve", "APR-1"], { isTTY: true, stdin });
    expect(code).toBe(1);
    expect(stderr).toContain("Not signed.");
    expect(server.calls()).toEqual(["GET /approvals/APR-1"]);
  });

  it("refuses where nobody can be asked, whatever stdin says", async () => {
    const { code, stdout, stderr } = await server.awoooi(["approvals", "approve", "APR-1"], { stdin: "y\n" });
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toContain("--yes");
    expect(server.calls()).not.toContain("POST /approvals/APR-1/approve");
    // Why it cannot be signed at all comes first.
    server.answers["GET /approvals/APR-1"] = as(approval, { ...APPROVAL, status: "superseded" });
    expect((await server.awoooi(["approvals", "approve", "APR-1"])).stderr).toContain("it is superseded");
  });

  it("counts the signatures that count", async () => {
    const signed = {
      signer: "ada",
      signer_kind: "person",
      comment: null,
      at: AT,
      counts: false,
      why_not: "left",
    };
    server.answers["GET /approvals"] = page(approval, [{ ...APPROVAL, signatures: [signed] }]);
    expect((await server.awoooi(["approvals", "ls"])).stdout).toContain("0/1");
  });

  it("signs unasked with --yes, and a plan that was read elsewhere with --hash", async () => {
    expect((await server.awoooi(["approvals", "approve", "APR-1", "--yes"])).stdout).toContain(
      "✗ permission",
    );
    const other = "b".repeat(64);
    await server.awoooi(["approvals", "approve", "APR-1", "--hash", other]);
    expect(server.calls().filter((call) => call.startsWith("GET"))).toHaveLength(1);
    const hashes = server.seen
      .filter((one) => one.call.startsWith("POST"))
      .map((one) => JSON.parse(one.body).plan_hash);
    expect(hashes).toEqual([HASH, other]);
  });

  it("says when the plan changed under the reader's eyes", async () => {
    server.answers["POST /approvals/APR-1/approve"] = refusal("plan_changed", "The plan is another now.");
    const { code, stderr } = await server.awoooi(["approvals", "approve", "APR-1", "--yes"]);
    expect(code).toBe(5);
    expect(stderr).toContain("The plan is another now.");
  });

  it.each([
    ["expired", "is expired"],
    ["preparing", "is preparing"],
    ["rejected", "is rejected"],
  ])("asks nobody to sign what is %s", async (status, sentence) => {
    server.answers["GET /approvals/APR-1"] = as(approval, { ...APPROVAL, status });
    const { code, stderr } = await server.awoooi(["approvals", "approve", "APR-1"], {
      isTTY: true,
      stdin: "y\n",
    });
    expect(code).toBe(5);
    expect(stderr).toContain(sentence);
    expect(server.calls()).toEqual(["GET /approvals/APR-1"]);
  });

  it("keeps stdout for the result with --json, also when it asks", async () => {
    const at = { isTTY: true, stdin: "y\n" };
    const { stdout, stderr } = await server.awoooi(["approvals", "approve", "APR-1", "--json"], at);
    expect(approval.parse(JSON.parse(stdout)).status).toBe("approved");
    expect(stderr).toContain(HASH);
  });

  it("rejects for a reason only", async () => {
    server.answers["POST /approvals/APR-1/reject"] = ({ body }) => {
      const { reason } = reject.parse(JSON.parse(body));
      return as(approval, { ...APPROVAL, status: "rejected", reject_reason: reason });
    };
    expect((await server.awoooi(["approvals", "reject", "APR-1"])).code).toBe(2);
    expect(server.seen).toEqual([]);
    expect((await server.awoooi(["approvals", "reject", "APR-1", "--reason", "not now"])).code).toBe(0);
  });
});

describe("audit ls", () => {
  it("asks with its filters, and shows who did what to what without moving the terminal", async () => {
    const entry = { seq: 7, at: AT, actor_kind: "person", actor: "ada", action: "approval.signed" };
    const more = { subject: "APR-1", data: { comment: "\u001b[2Jok" }, prev_hash: HASH, hash: HASH };
    server.answers["GET /audit"] = page(auditEntry, [{ ...entry, ...more }], "7");
    const argv = [
      "--actor",
      "ada",
      "--action",
      "approval",
      "--incident",
      "INC-1",
      "--until",
      "2026-07-01T14:00Z",
    ];
    const { code, stdout, stderr } = await server.awoooi(["audit", "ls", ...argv, "--since", "2h"]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/\n7 +2026-07-01 12:00:00Z +ada +approval\.signed +APR-1 +\{"comment":/);
    expect(stdout).not.toContain("\u001b");
    expect(stderr).toContain("--cursor 7");
    const { since, ...asked } = Object.fromEntries(server.seen[0]?.query ?? []);
    expect(asked).toEqual({
      actor: "ada",
      action: "approval",
      incident_id: "INC-1",
      until: "2026-07-01T14:00:00.000Z",
    });
    expect(Date.now() - Date.parse(since ?? "")).toBeGreaterThanOrEqual(7_200_000);
    expect((await server.awoooi(["audit", "ls", "--since", "yesterday"])).code).toBe(2);
  });
});

describe("alerts send", () => {
  const sent = () => JSON.parse(server.seen[0]?.body ?? "");
  beforeEach(() => {
    server.answers["POST /webhooks/alertmanager"] = as(webhookAnswer, { ...RESULT, results: [RESULT] });
  });

  it("says how bad an unknown word for the severity counts", async () => {
    const { stderr } = await server.awoooi(["alerts", "send", "--name", "X", "--severity", "awful"]);
    expect(stderr).toContain('severity: P2: the word "awful" is unknown');
  });

  it("posts what Alertmanager would, without the person's token, and shows what came of it", async () => {
    const labels = ["--label", "process=demo-shop", "--label", "note=a=b c"];
    const words = ["--annotation", "runbook=x", "--summary", "no answer", "--severity", "critical"];
    const { code, stdout } = await server.awoooi([
      "alerts",
      "send",
      "--name",
      "DemoShopDown",
      ...labels,
      ...words,
    ]);
    expect(code).toBe(0);
    const all = { alertname: "DemoShopDown", process: "demo-shop", note: "a=b c", severity: "critical" };
    expect(sent()).toMatchObject({
      version: "4",
      groupKey: '{}:{alertname="DemoShopDown"}',
      status: "firing",
      receiver: "awoooi",
      truncatedAlerts: 0,
      commonLabels: all,
      alerts: [
        {
          status: "firing",
          labels: all,
          annotations: { runbook: "x", summary: "no answer" },
          endsAt: "0001-01-01T00:00:00Z",
        },
      ],
    });
    expect(sent().alerts[0].fingerprint).toMatch(/^[0-9a-f]{16}$/);
    expect(Date.now() - Date.parse(sent().alerts[0].startsAt)).toBeLessThan(60_000);
    expect(server.seen[0]?.authorization).toBeUndefined();
    expect(stdout).toContain(`opened ${INCIDENT.incident_id} (hits: 1)`);
    const ending = stdout.trim().split("\n").at(-1);
    expect(ending).toContain(`--label 'note=a=b c'`);
    expect(ending).toContain(`--starts-at ${sent().alerts[0].startsAt} --resolved`);
  });

  it("ends the instance that began at a time, and only with that time", async () => {
    const name = ["alerts", "send", "--name", "A", "--resolved"];
    expect((await server.awoooi(name)).code).toBe(2);
    expect(server.seen).toEqual([]);
    await server.awoooi([...name, "--starts-at", "2026-07-01T14:00:00+02:00", "--fingerprint", "f1"]);
    expect(sent()).toMatchObject({
      status: "resolved",
      alerts: [{ status: "resolved", startsAt: AT, fingerprint: "f1" }],
    });
    expect(Date.now() - Date.parse(sent().alerts[0].endsAt)).toBeLessThan(60_000);
  });

  it("posts a body from a file or stdin, byte for byte", async () => {
    const body = '{ "alerts": [],  "version": "4" }\n';
    const file = join(folder, "body.json");
    writeFileSync(file, body);
    await server.awoooi(["alerts", "send", "--file", file]);
    await server.awoooi(["alerts", "send", "--file", "-"], { stdin: body });
    expect(server.seen.map((one) => one.body)).toEqual([body, body]);
    expect((await server.awoooi(["alerts", "send", "--file", "-"], { stdin: "{" })).code).toBe(2);
    expect((await server.awoooi(["alerts", "send", "--file", file, "--name", "A"])).code).toBe(2);
  });

  it("sends a webhook token that is set for it", async () => {
    await server.awoooi(["alerts", "send", "--name", "A"], { env: { AWOOOI_WEBHOOK_TOKEN: "hook-token" } });
    expect(server.seen[0]?.authorization).toBe("Bearer hook-token");
  });

  it("says what is not known yet, and fails where the server says so", async () => {
    const later = { ...RESULT, incident_id: null, message: "journalled; the result follows" };
    server.answers["POST /webhooks/alertmanager"] = as(webhookAnswer, { ...later, results: [] });
    expect(await server.awoooi(["alerts", "send", "--name", "A"])).toMatchObject({
      code: 0,
      stdout: `${later.message}\n`,
    });
    server.answers["POST /webhooks/alertmanager"] = as(webhookAnswer, {
      ...later,
      success: false,
      results: [],
    });
    expect((await server.awoooi(["alerts", "send", "--name", "A"])).code).toBe(1);
  });
});

describe("tokens and audit", () => {
  it("shows a new token's secret, with a sentence", async () => {
    const secret = "awoooi_new";
    const made = { token_id: "TOK-1", person_id: "PER-1", person: "ada", name: "laptop", role: "approver" };
    server.answers["POST /tokens"] = ({ body }) => {
      expect(createToken.parse(JSON.parse(body))).toEqual({
        name: "laptop",
        role: "approver",
        person: "ada",
      });
      return { ...as(createdToken, { ...made, token: secret }), status: 201 };
    };
    const argv = ["tokens", "create", "--name", "laptop", "--role", "approver", "--person", "ada"];
    const { stdout } = await server.awoooi(argv);
    expect(stdout).toContain(secret);
    expect(stdout).toContain("only time");
    expect(JSON.parse((await server.awoooi([...argv, "--json"])).stdout)).toEqual({ ...made, token: secret });
  });

  it("lists and revokes tokens", async () => {
    const one = { token_id: "TOK-1", person_id: "PER-1", person: "ada", name: "laptop", role: "viewer" };
    const row = token.parse({ ...one, created_at: AT, created_by: "admin", revoked_at: null });
    server.answers["GET /tokens"] = { json: { items: [row] } };
    server.answers["DELETE /tokens/TOK-1"] = { json: null, status: 204 };
    server.answers["GET /tokens/TOK-1/in-force"] = as(inForce, {
      ...{ token_id: "TOK-1", person_id: "PER-1", person: "ada" },
      silences: [{ silence_id: "SIL-1", comment: "noisy", ends_at: AT }],
      playbooks: [{ playbook_id: "PBK-1", name: "shop-hangs", lapsed: "all their tokens are revoked" }],
    });
    expect((await server.awoooi(["tokens", "ls"])).stdout).toContain("TOK-1  laptop  ada");
    const { stdout } = await server.awoooi(["tokens", "revoke", "TOK-1"]);
    for (const part of ["TOK-1 is revoked", "from ada", "SIL-1", "noisy", "shop-hangs", "needs signatures"])
      expect(stdout).toContain(part);
  });

  it("shows what takes room, and how the last run went", async () => {
    const groups = [
      { name: "receipts", rows: 12_345, bytes: 1_400_000, oldest: AT, kept_for: 604_800 },
      { name: "audit", rows: 3, bytes: 812, oldest: null, kept_for: null },
    ];
    const last_run = {
      started_at: AT,
      took_ms: 2_500,
      finished: true,
      deleted: { receipts: 70, dead_letters: 2 },
      asked_by: null,
      error: null,
    };
    const report = { groups, database_bytes: 9_000_000_000, disk_free_bytes: 50_000, last_run };
    server.answers["GET /storage"] = as(storageReport, report);
    const { code, stdout } = await server.awoooi(["storage"]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/receipts +12345 +1\.4 MB +2026-07-01 12:00:00Z +7d\naudit +3 +812 B +- +ever/);
    expect(stdout).toContain("database      9.0 GB");
    expect(stdout).toContain("took 2s: deleted 70 receipts, 2 dead letters");
    expect(JSON.parse((await server.awoooi(["storage", "--json"])).stdout)).toEqual(report);
  });

  it("deletes what was kept for its time, or only says how much that is", async () => {
    server.answers["POST /storage/prune"] = ({ body }) => {
      const { dry_run } = pruneBody.parse(JSON.parse(body));
      return as(pruneAnswer, { dry_run, finished: dry_run, rows: { alerts: 5 } });
    };
    expect((await server.awoooi(["storage", "prune", "--dry-run"])).stdout).toBe("Would delete 5 alerts.\n");
    const { stdout } = await server.awoooi(["storage", "prune"]);
    expect(stdout).toBe("Deleted 5 alerts.\nIt continues; `awoooi storage` shows the result.\n");
  });

  it("fails when the ledger is broken", async () => {
    const whole = { entries: 12, broken_at: null, reason: null, head: HASH, next: null };
    server.answers["GET /audit/verify"] = as(auditReport, whole);
    expect(await server.awoooi(["audit", "verify"])).toMatchObject({ code: 0 });
    // A long one is asked for in parts, each of which follows the one before.
    server.answers["GET /audit/verify"] = ({ query }: { query: URLSearchParams }) =>
      query.get("from") === "6" && query.get("head") === HASH
        ? as(auditReport, whole)
        : as(auditReport, { ...whole, entries: 5, next: 6 });
    expect((await server.awoooi(["audit", "verify"])).stdout).toContain("12 entries");
    server.answers["GET /audit/verify"] = as(auditReport, {
      ...whole,
      broken_at: 7,
      reason: "the hash differs",
    });
    const { code, stdout } = await server.awoooi(["audit", "verify"]);
    expect(code).toBe(1);
    expect(stdout).toContain("broken at entry 7: the hash differs");
    const json = await server.awoooi(["audit", "verify", "--json"]);
    expect(json.code).toBe(1);
    expect(JSON.parse(json.stdout).broken_at).toBe(7);
  });
});
