import Fastify from "fastify";
import { serializerCompiler, validatorCompiler } from "fastify-type-provider-zod";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { describeRoutes } from "../../src/http/index.ts";
import { alertmanagerBody, post } from "../support/alerts.ts";
import { ADMIN_TOKEN, approvalIn, concluded, QUICK, startTestApp } from "../support/app.ts";
import { restartOf } from "../support/approved.ts";
import { createDatabase, type TestDatabase } from "../support/database.ts";
import { clearFolder, temporaryFolder } from "../support/folder.ts";
import { Description, type Operation } from "../support/openapi.ts";
import { ScriptedTarget } from "../support/scripted-executor.ts";

let database: TestDatabase;
let folder: string;
let app: Awaited<ReturnType<typeof startTestApp>>;
let api: Description;
/** What each operation is called with, so that it succeeds: values for its path, and a body. */
let samples: Record<string, { path?: Record<string, string>; body?: unknown; query?: string }>;
const target = new ScriptedTarget();

const firing = (name: string) => alertmanagerBody([{ labels: { alertname: name, service: "shop" } }]);

beforeAll(async () => {
  database = await createDatabase();
  folder = await temporaryFolder("openapi");
  app = await startTestApp(
    database.url,
    folder,
    {
      processes: [{ name: "shop", argv: ["/bin/true"] }],
      intake: { ...QUICK.intake, custom: [{ name: "shop", fields: { alertname: "check" } }] },
      // Each sample is an incident of its own.
      incident: { correlation: { merge: false } },
    },
    {
      adapt: (one) => ({
        ...one,
        executors: [target.executor],
        observers: [target.observer],
        investigators: [target.investigator],
      }),
    },
  );
  target.undoAnswer = { ok: true, operation: restartOf("shop"), leaves: "what it served meanwhile" };
  const response = await fetch(`${app.url}/api/v1/openapi.json`);
  expect(response.headers.get("content-type")).toMatch(/^application\/json/);
  api = new Description((await response.json()) as Record<string, unknown>);

  const opened = async (name: string) => (await post(app.url, firing(name))).body.incident_id as string;
  const repaired = await opened("ShopDown");
  const signed = await approvalIn(app.admin, repaired, "pending");
  const { plan_hash } = signed;
  await app.admin.post(`/approvals/${signed.approval_id}/approve`, { plan_hash });
  await concluded(app.admin, repaired);
  const { decision } = await app.admin.get<{ decision: { token: string } }>(`/incidents/${repaired}`);
  const { items } = await app.admin.get<{ items: { execution_id: string }[] }>(`/executions`);
  const undoable = items[0]?.execution_id ?? "";
  const token = await app.admin.post<{ token_id: string }>("/tokens", { name: "spare", role: "viewer" });
  const toSign = await approvalIn(app.admin, await opened("ShopSlow"), "pending");
  const toReject = await approvalIn(app.admin, await opened("ShopUnreachable"), "pending");
  await post(app.url, { not: "an alert" });
  await post(app.url, firing("Watchdog"));
  const beats = await app.admin.get<{ items: { heartbeat_id: string }[] }>("/heartbeats");
  const heartbeat = beats.items[0]?.heartbeat_id ?? "";
  const letters = await app.admin.get<{ items: { dead_letter_id: string }[] }>("/dead-letters");
  const letter = { path: { id: letters.items[0]?.dead_letter_id ?? "" } };
  const effect = { path: { id: await opened("ShopFull") } };
  const main = await opened("ShopCrash");
  await app.admin.post(`/incidents/${await opened("ShopStuck")}/merge`, { into: main });
  const lessons = await app.admin.get<{ items: { lesson_id: string }[] }>("/correlation/lessons");
  const incident = { path: { id: repaired } };
  const active = { path: { id: await opened("ShopOom") } };
  const silenceable = { path: { id: await opened("ShopOdd") } };
  const silence = { matchers: [{ name: "shop", value: "old" }], duration: 3_600, comment: "known" };
  const { silence_id } = await app.admin.post<{ silence_id: string }>("/silences", silence);
  const made = { path: { id: silence_id } };
  const playbook = {
    name: "shop",
    pattern: { alert_names: ["ShopOnFire"] },
    steps: [{ operation: "process.restart" }],
  };
  const { items: imported } = await app.admin.post<{ items: { playbook: { playbook_id: string } }[] }>(
    "/playbooks",
    { playbooks: [playbook] },
  );
  const book = { path: { id: imported[0]?.playbook.playbook_id ?? "" } };
  samples = {
    get_health: {},
    get_health_live: {},
    get_health_ready: {},
    get: {},
    get_metrics: {},
    get_openapi_json: {},
    get_webhooks_health: {},
    post_api_v2_alerts: { body: [{ labels: { alertname: "ShopFull", service: "shop" } }] },
    get_api_v2_alerts: { query: "filter=alertname%3D~Shop.%2B&active=true" },
    get_api_v2_receivers: {},
    get_api_v2_status: {},
    post_webhooks_alertmanager: { body: firing("ShopLate") },
    get_incidents: { query: "limit=2&status=resolved" },
    get_incidents_id: incident,
    get_incidents_id_timeline: { ...incident, query: "after=1" },
    get_incidents_id_alerts: incident,
    get_incidents_id_decision: incident,
    get_incidents_id_evidence: incident,
    get_operation_log: { query: `incident_id=${repaired}&event=EXECUTION_STARTED&limit=1` },
    post_executions_id_undo: { path: { id: undoable }, body: { comment: "it was not that" } },
    get_incidents_id_executions: incident,
    post_incidents_id_acknowledge: active,
    post_incidents_id_comment: { ...incident, body: { text: "it was the disk" } },
    post_incidents_id_resolve: { ...active, body: { comment: "by hand" } },
    post_incidents_id_assign: { ...incident, body: { owner: "ada" } },
    post_incidents_id_feedback: { ...active, body: { effectiveness_score: 5 } },
    post_incidents_id_silence: { ...silenceable, body: { duration: 60, comment: "known" } },
    get_alerts: { query: "silenced=false&limit=2" },
    get_silences: { query: "status=active" },
    post_silences: { body: { ...silence, comment: "another" } },
    get_playbooks: { query: "status=draft&limit=2" },
    post_playbooks: { body: { playbooks: [{ ...playbook, name: "another" }] } },
    get_playbooks_id: book,
    post_playbooks_id_approve: { ...book, body: {} },
    post_playbooks_id_deprecate: book,
    get_silences_id: made,
    post_silences_id_update: { ...made, body: { comment: "longer" } },
    post_silences_id_expire: made,
    post_incidents_id_merge: { ...effect, body: { into: main } },
    post_incidents_id_split: { ...effect, body: { comment: "another disk" } },
    get_correlation_lessons: { query: "limit=2" },
    delete_correlation_lessons_id: { path: { id: lessons.items[0]?.lesson_id ?? "" } },
    post_incidents_id_close: active,
    post_incidents_id_reopen: { ...incident, body: { comment: "not over" } },
    post_webhooks_signals: { body: { alert_name: "QueueGrows", severity: "warning", target: "mailer" } },
    post_webhooks_alerts: { body: { alert_type: "disk_full", target_resource: "backup-host" } },
    get_heartbeats: {},
    get_processes: {},
    post_processes_id_stop: { path: { id: "shop" }, body: { comment: "on purpose" } },
    post_processes_id_start: { path: { id: "shop" }, body: {} },
    delete_heartbeats_id: { path: { id: heartbeat } },
    post_webhooks_grafana: { body: { ruleId: 1, ruleName: "queue", state: "alerting" } },
    post_webhooks_signoz: { body: { alertname: "Slow", status: "resolved" } },
    post_webhooks_signoz_alert: { body: { alertname: "Slow", status: "firing" } },
    post_webhooks_uptime_kuma: { body: { heartbeat: null, monitor: null, msg: "awoooi Testing" } },
    post_webhooks_sentry_error: { body: { action: "created", data: { issue: { id: "1", title: "x" } } } },
    post_webhooks_pagerduty_v2_enqueue: {
      body: { event_action: "trigger", payload: { summary: "the printer is on fire" } },
    },
    post_webhooks_custom_name: { path: { name: "shop" }, body: { check: "ShopDown" } },
    get_dead_letters: {},
    get_dead_letters_id: letter,
    post_dead_letters_id_replay: letter,
    get_sources: {},
    get_sources_refused: { query: "source=alertmanager&reason=dead_letters&limit=3" },
    get_config: {},
    post_config_reload: {},
    get_storage: {},
    post_storage_prune: { body: { dry_run: true } },
    get_approvals: { query: `incident_id=${repaired}` },
    get_approvals_id: { path: { id: signed.approval_id } },
    post_approvals_id_approve: { path: { id: toSign.approval_id }, body: { plan_hash: toSign.plan_hash } },
    post_approvals_id_reject: { path: { id: toReject.approval_id }, body: { reason: "not now" } },
    get_decisions_token: { path: { token: decision.token } },
    get_diagnosis: { query: "kind=process&name=shop" },
    get_executions: {},
    get_freeze: {},
    get_tools: {},
    put_freeze: { body: { why: "we move the database", duration: 60 } },
    delete_freeze: {},
    get_executions_id: { path: { id: items[0]?.execution_id ?? "" } },
    get_tokens: {},
    get_tokens_id_in_force: { path: { id: token.token_id } },
    post_tokens: { body: { name: "another", role: "viewer" } },
    delete_tokens_id: { path: { id: token.token_id } },
    get_audit: { query: "limit=3&action=approval&actor=pipeline&since=2020-01-01T00:00:00Z" },
    get_audit_verify: {},
  };
});
afterAll(async () => {
  await app.stop();
  await database.drop();
  await clearFolder(folder);
});

type Call = {
  path?: Record<string, string>;
  query?: string;
  body?: unknown;
  headers?: Record<string, string>;
};

/** Calls an operation; throws when its answer is not one that the document describes. */
async function call({ method, path }: Operation, input: Call, token = ADMIN_TOKEN): Promise<number> {
  const filled = path.replace(/\{([^}]+)\}/g, (_, name: string) => input.path?.[name] ?? "NONE-1");
  const hasBody = input.body !== undefined;
  const response = await fetch(`${app.url}${filled}${input.query === undefined ? "" : `?${input.query}`}`, {
    method,
    headers: {
      ...(takesAlerts({ method, path } as Operation) ? {} : { authorization: `Bearer ${token}` }),
      ...(hasBody ? { "content-type": "application/json" } : {}),
      ...input.headers,
    },
    ...(hasBody ? { body: typeof input.body === "string" ? input.body : JSON.stringify(input.body) } : {}),
  });
  const body = await response.text();
  const answer = {
    method,
    path: filled,
    status: response.status,
    type: response.headers.get("content-type"),
    body,
  };
  expect(api.faultsOf(answer)).toEqual([]);
  return response.status;
}

/** Its caller is checked as a sender of alerts, and what it sends is taken as it is. */
const takesAlerts = ({ method, path }: Operation) =>
  path.includes("/webhooks/") || (method === "POST" && path === "/api/v2/alerts");

const operationsOf = () => api.operations.map((one) => [one.operationId, one] as const);

describe("the OpenAPI document", () => {
  it("is sound: every schema in it compiles, every name is used once, every operation says what it is", () => {
    const { operations } = api;
    expect(api.document).toMatchObject({ openapi: "3.1.0", info: { title: "AWOOOI" } });
    expect(new Set(operations.map((one) => one.operationId)).size).toBe(operations.length);
    for (const operation of operations) {
      const { path, method, parameters = [], requestBody, responses } = operation;
      const place = ["paths", path, method.toLowerCase()];
      for (const [status, { content = {} }] of Object.entries(responses))
        for (const media of Object.keys(content))
          api.validator(...place, "responses", status, "content", media, "schema");
      for (const media of Object.keys(requestBody?.content ?? {}))
        api.validator(...place, "requestBody", "content", media, "schema");
      const named = [...path.matchAll(/\{([^}]+)\}/g)].map((match) => match[1]);
      expect(parameters.filter((one) => one.in === "path").map((one) => one.name)).toEqual(named);
      expect(operation).toMatchObject({ summary: expect.any(String), security: expect.any(Array) });
    }
  });

  it("says who may call what, and no one else can", async () => {
    const roles = ["viewer", "responder", "approver", "admin"];
    const tokens = Object.fromEntries(
      await Promise.all(
        roles.map(async (role) => {
          const made = await app.admin.post<{ token: string }>("/tokens", { name: `${role}-only`, role });
          return [role, made.token] as const;
        }),
      ),
    );
    const guarded = api.operations.filter((one) => JSON.stringify(one).includes('"security":[{"token":[]}]'));
    expect(guarded.length).toBeGreaterThan(15);
    for (const operation of guarded) {
      const least = operation["x-role"];
      expect([operation.operationId, roles.includes(least ?? "")]).toEqual([operation.operationId, true]);
      const below = roles[roles.indexOf(least as string) - 1];
      // What does not exist, with a sound body: whoever may call it hears of that, and nothing is changed.
      const input = { ...samples[operation.operationId], path: {} };
      expect([
        operation.operationId,
        await call(operation, { ...input, headers: { authorization: "" } }),
      ]).toEqual([operation.operationId, 401]);
      if (below !== undefined && operation.operationId !== "post_approvals_id_approve")
        expect([operation.operationId, await call(operation, input, tokens[below])]).toEqual([
          operation.operationId,
          403,
        ]);
      if (operation.operationId === "post_tokens") continue;
      expect([operation.operationId, await call(operation, input, tokens[least as string])]).not.toEqual([
        operation.operationId,
        403,
      ]);
    }
  });

  it("describes what every operation answers to input that is wrong", async () => {
    for (const [operationId, operation] of operationsOf()) {
      const takesPath = operation.path.includes("{");
      const isWebhook = takesAlerts(operation);
      if (takesPath) {
        const path = { id: "a%00b", token: "a%00b" };
        expect(await call(operation, { path, ...bodyOf(operationId) })).toBe(isWebhook ? 404 : 422);
        expect([404, 422]).toContain(await call(operation, bodyOf(operationId)));
      }
      if (operation.parameters?.some((one) => one.name === "limit"))
        expect(await call(operation, { ...samples[operationId], query: "limit=0" })).toBe(422);
      if (operation.requestBody !== undefined) {
        expect(await call(operation, { ...samples[operationId], body: "{" })).toBe(400);
        expect(await call(operation, { ...samples[operationId], body: "[]" })).toBe(
          BAD[operationId] ?? (isWebhook ? 200 : 422),
        );
        const csv = { "content-type": "text/csv" };
        if (!isWebhook)
          expect(await call(operation, { ...samples[operationId], body: "a", headers: csv })).toBe(415);
        const large = JSON.stringify("x".repeat(6 * 1024 * 1024));
        expect(await call(operation, { ...samples[operationId], body: large })).toBe(413);
      }
      if (isWebhook && operation.method === "POST") {
        const headers = { "x-forwarded-for": "203.0.113.7" };
        expect(await call(operation, { ...samples[operationId], headers })).toBe(403);
        expect(
          await call(operation, {
            ...samples[operationId],
            headers: { ...headers, authorization: "Bearer x" },
          }),
        ).toBe(401);
      }
    }
  });

  // Whose vendor is told what is wrong, with the body kept all the same.
  const BAD: Record<string, number> = { post_webhooks_pagerduty_v2_enqueue: 400 };
  const bodyOf = (operationId: string) => {
    const body = samples[operationId]?.body;
    return body === undefined ? {} : { body };
  };

  it("describes what every operation answers when it succeeds, and takes what it says", async () => {
    // A new operation needs a sample above.
    expect(
      operationsOf()
        .filter(([id]) => samples[id] === undefined)
        .map(([id]) => id),
    ).toEqual([]);
    for (const [operationId, operation] of operationsOf()) {
      const sample = samples[operationId] ?? {};
      const status = await call(operation, sample);
      expect([operationId, status < 300]).toEqual([operationId, true]);
      if (sample.body === undefined || operation.requestBody === undefined) continue;
      const place = [
        "paths",
        operation.path,
        operation.method.toLowerCase(),
        "requestBody",
        "content",
        "application/json",
        "schema",
      ];
      expect(api.faults(sample.body, ...place)).toEqual([]);
    }
  });

  it("finds fault with an answer that it does not describe", () => {
    const good = {
      method: "GET",
      path: "/api/v1/health/live",
      status: 200,
      type: "application/json",
      body: '{"status":"ok"}',
    };
    expect(api.faultsOf(good)).toEqual([]);
    expect(api.faultsOf({ ...good, body: '{"status":"well"}' })).not.toEqual([]);
    expect(api.faultsOf({ ...good, body: '{"status":"ok","more":1}' })).not.toEqual([]);
    expect(api.faultsOf({ ...good, status: 418 })).not.toEqual([]);
    expect(api.faultsOf({ ...good, type: "text/html" })).not.toEqual([]);
    expect(api.faultsOf({ ...good, path: "/api/v1/made-up" })).not.toEqual([]);
  });

  it("has every route: one without a schema of its answer is not let in", async () => {
    const server = Fastify();
    server.setValidatorCompiler(validatorCompiler);
    server.setSerializerCompiler(serializerCompiler);
    await describeRoutes(server, { version: "0", sources: { kinds: [] } });
    server.get(
      "/api/v1/planned",
      { schema: { response: { 200: z.object({ ok: z.boolean() }) } } },
      async () => ({ ok: true }),
    );
    expect(() => server.post("/api/v1/forgotten", async () => ({}))).toThrow(
      "POST /api/v1/forgotten has no schema",
    );
    expect(() => server.get("/api/v1/half", { schema: { params: z.object({}) } }, async () => ({}))).toThrow(
      "no schema",
    );
    await server.ready();
    expect(Object.keys((server.swagger() as { paths: object }).paths)).toEqual(["/api/v1/planned"]);
    await server.close();
  });
});
