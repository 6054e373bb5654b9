import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import {
  type Asked,
  type ByItself,
  type Labels,
  makeByItself,
  type Repairs,
  registryOf,
  restartOf,
} from "../../../test/support/by-itself.ts";
import type { TestDatabase } from "../../../test/support/database.ts";
import type { Person, SetClock } from "../../../test/support/pipeline-deps.ts";
import type { OperationTarget } from "../../contract/incident.ts";
import { getIncident } from "../../incident/index.ts";
import type { Operation } from "../../operation/index.ts";
import { mergeManually } from "../response/manual-merge.ts";
import type { PipelineDeps } from "../types.ts";

/** What a sender writes, for each place where it takes part in whether a playbook runs by itself: it only narrows. */

let tried: ByItself;
let database: TestDatabase;
let clock: SetClock;
let deps: PipelineDeps;
let ada: Person;

beforeAll(async () => {
  tried = await makeByItself();
  ({ database, clock, ada } = tried);
});
afterAll(() => database.drop());
beforeEach(async () => {
  await tried.reset();
  ({ deps } = tried);
});

const receive = (labels: Labels, status?: string) => tried.receive([labels], status);
const blocked = (incident_id: string, more?: Asked) => tried.blocked(incident_id, more);
const registered = (services: Repairs, other?: "auto" | "never") => {
  tried.registry = registryOf(services, other);
};
const WARNING = { severity: "warning" };
const API = { ...WARNING, namespace: "prod", deployment: "api", component: "api" };

describe("the service registry is asked about what is acted on, whatever a label calls it", () => {
  it("lets through what it lists as auto, in every part", async () => {
    registered({ shop: "auto" });
    expect(await blocked(await receive({ ...WARNING, process: "shop", component: "shop" }))).toEqual([]);
    registered({ api: "auto" });
    expect(await blocked(await receive(API))).toEqual([]);
  });

  it.each<[string, Labels, Record<string, "auto" | "suggest" | "never">, ("auto" | "never")?]>([
    ["another component", { process: "ledger", component: "shop" }, { shop: "auto" }],
    ["another service", { process: "ledger", service: "shop" }, { shop: "auto" }],
    ["another job", { process: "ledger", job: "shop" }, { shop: "auto" }],
    ["a component that nobody listed", { process: "shop", component: "mail" }, { shop: "auto" }],
    ["a component in other letters", { process: "shop", component: "ѕhop" }, { shop: "auto" }],
    ["a component in wide letters", { process: "shop", component: "ｓhop" }, { shop: "auto" }],
    ["a component with what is not seen", { process: "shop", component: "sh\u200bop" }, { shop: "auto" }],
    ["a look-alike of what is never", { process: "shop", component: "lеdger" }, { ledger: "never" }, "auto"],
    ["another case of what is never", { process: "shop", component: "LEDGER" }, { ledger: "never" }, "auto"],
    ["a path that ends in what is auto", { process: "shop", component: "x/shop" }, { shop: "auto" }],
    [
      "a pod of what is never",
      { namespace: "prod", pod: "ledger-7d9f8b6c54-x2x4z" },
      { ledger: "never" },
      "auto",
    ],
    ["a timer of what is never", { host: "web1", systemd_unit: "ledger.timer" }, { ledger: "never" }, "auto"],
    ["an instance of what is never", { host: "web1", systemd_unit: "ledger@1" }, { ledger: "never" }, "auto"],
    [
      "a unit by half its name",
      { host: "web1", systemd_unit: "ledger" },
      { "ledger.service": "never" },
      "auto",
    ],
    ["what is never in its namespace", API, { "prod/api": "never" }, "auto"],
    ["the same, beside the name itself", API, { api: "auto", "prod/api": "never" }],
    ["what is never on its cluster", { ...API, cluster: "eu" }, { "eu/prod/api": "never" }, "auto"],
    ["the same, with no cluster named", API, { "eu/prod/api": "never" }, "auto"],
    [
      "the same, by another name of its cluster",
      { ...API, cluster: "europe" },
      { "eu/prod/api": "never" },
      "auto",
    ],
    [
      "a service that is never in some namespace",
      { process: "shop", component: "api" },
      { "prod/api": "never" },
      "auto",
    ],
  ])("keeps it from %s", async (_what, labels, services, other) => {
    registered(services, other);
    expect(await blocked(await receive({ ...WARNING, ...labels }))).toContain("service_registry");
  });

  it("tells places apart that are known", async () => {
    registered({ "us/prod/api": "never", "eu/prod/api": "auto", "stage/api": "never" }, "auto");
    expect(await blocked(await receive({ ...API, cluster: "eu" }))).toEqual([]);
  });

  it("is asked of whose a target is, as the system says", async () => {
    registered({ shop: "auto", "prod/ledger": "never" }, "auto");
    const incident_id = await receive({ ...WARNING, process: "shop", component: "shop" });
    expect(await blocked(incident_id)).toEqual([]);
    expect(await blocked(incident_id, { belongs_to: ["prod/ledger"] })).toEqual(["service_registry"]);
    registered({ shop: "auto" });
    expect(await blocked(incident_id, { belongs_to: ["prod/unheard-of"] })).toEqual(["service_registry"]);
  });

  it.each<[string, Labels, string, Record<string, "never">]>([
    ["component", { component: "prod/ledger" }, "prod/ledger", { ledger: "never" }],
    ["job", { job: "prod/ledger" }, "prod/ledger", { ledger: "never" }],
    ["component in another case", { component: "Prod/Ledger" }, "prod/ledger", { ledger: "never" }],
    [
      "component, of what is never on one cluster",
      { component: "prod/ledger" },
      "prod/ledger",
      { "eu/prod/ledger": "never" },
    ],
    [
      "component on a host",
      { component: "web1/db", host: "web1", systemd_unit: "x" },
      "web1/db",
      { db: "never" },
    ],
    [
      "component with its cluster",
      { component: "eu/prod/ledger" },
      "prod/ledger",
      { "prod/ledger": "never" },
    ],
  ])("is asked of it although a %s says the same", async (_what, labels, owner, services) => {
    registered(services, "auto");
    const incident_id = await receive({ ...WARNING, namespace: "prod", deployment: "web", ...labels });
    expect(await blocked(incident_id, { belongs_to: [owner] })).toEqual(["service_registry"]);
  });

  it.each<[string, Record<string, "auto" | "never">, ("auto" | "never")?]>([
    ["prod/ledger", { ledger: "never" }, "auto"],
    ["prod/ledger", { "prod/ledger": "never" }, "auto"],
    ["eu/prod/ledger", { "prod/ledger": "never" }, "auto"],
    ["eu/prod/ledger", { ledger: "never" }, "auto"],
    ["prod/ledger", { ledger: "auto", shop: "auto" }],
  ])("judges the name %s as one and as one with its place", async (component, services, other) => {
    registered(services, other);
    const incident_id = await receive({ ...WARNING, process: "shop", component });
    expect(await blocked(incident_id)).toEqual(["service_registry"]);
    registered({ shop: "auto", ledger: "auto", [component]: "auto" });
    expect(await blocked(incident_id)).toEqual([]);
  });

  it("is asked of every step, and of the host that something is on", async () => {
    registered({ shop: "auto", "db-1": "never" }, "auto");
    const incident_id = await receive({ ...WARNING, process: "shop" });
    const on = (host: string): Operation => ({
      kind: "host.docker_restart",
      target: { kind: "container", name: "cache", host },
      parameters: {},
    });
    const own = restartOf({ kind: "process", name: "shop" });
    expect(await blocked(incident_id, { operations: [own, on("db-2")] })).toEqual([]);
    expect(await blocked(incident_id, { operations: [own, on("db-1")] })).toEqual(["service_registry"]);
  });

  it("is not satisfied with services that did not all fit", async () => {
    registered({ shop: "auto" }, "auto");
    const incident_id = await receive({ ...WARNING, process: "shop" });
    const many = Array.from({ length: 100 }, (_, at) => `s${at}`);
    await database.pool.query("update incidents set affected_services = $1", [many]);
    expect(await blocked(incident_id)).toEqual(["many_services"]);
  });
});

describe("a playbook for one service", () => {
  it("does not act on another that a label puts beside it", async () => {
    const incident_id = await receive({ ...WARNING, process: "ledger", component: "shop" });
    expect(await blocked(incident_id, { services: ["shop"] })).toEqual(["playbook_services"]);
    expect(await blocked(incident_id, { services: ["shop", "Ledger"] })).toEqual([]);
  });
});

describe("of all alerts of an incident the worst counts", () => {
  const SHOP = { process: "shop", deployment: "" };

  it.each<[string, Labels[], string[]]>([
    ["one alert is worse than the last", [{ severity: "critical" }, { severity: "info" }], ["severity"]],
    [
      "one says that it is not to be repaired",
      [{ auto_repair: "false" }, { auto_repair: "true" }],
      ["auto_repair_label"],
    ],
    ["one says so in other words", [{ auto_repair: "No" }], ["auto_repair_label"]],
  ])("where %s", async (_what, said, expected) => {
    let incident_id = "";
    // Labels that vary within a workload: one incident.
    for (const [at, labels] of said.entries())
      incident_id = await receive({ ...SHOP, ...WARNING, namespace: "prod", pod: `shop-${at}`, ...labels });
    const merged = await database.pool.query("select incident_id from incidents order by created_at");
    for (const { incident_id: other } of merged.rows)
      if (other !== incident_id)
        await mergeManually(database.ctx(ada, clock), { incident_id: other, into: incident_id });
    expect(
      await blocked(incident_id, { operations: [restartOf({ kind: "process", name: "shop" })] }),
    ).toEqual(expected);
  });

  it.each<[string, Labels, string, string?]>([
    ["is a matter of security", { alertname: "SecurityBreachFound" }, "category"],
    ["is worse", { severity: "critical" }, "severity"],
    ["says no", { auto_repair: "false" }, "auto_repair_label"],
    ["keeps coming back", {}, "tier", "update incidents set escalation_level = 4 where incident_id = $1"],
  ])("also where what was merged into it %s", async (_what, labels, expected, change) => {
    const main = await receive({ ...WARNING, process: "shop" });
    const effect = await receive({ ...WARNING, process: "ledger", ...labels });
    if (change !== undefined) await database.pool.query(change, [effect]);
    expect(await blocked(main)).toEqual([]);
    await mergeManually(database.ctx(ada, clock), { incident_id: effect, into: main });
    expect(await blocked(main)).toEqual([expected]);
  });

  it("although many labels are sent with it", async () => {
    const padding = Object.fromEntries(
      Array.from({ length: 40 }, (_, at) => [`pad_${at}`, "x".repeat(1_000)]),
    );
    const incident_id = await receive({
      process: "shop",
      ...padding,
      severity: "critical",
      auto_repair: "no",
    });
    expect(await blocked(incident_id)).toEqual(["auto_repair_label", "severity"]);
  });
});

describe("another spelling is no fresh start", () => {
  /** Something that was done by itself to a target in another incident. */
  async function acted(
    target: object,
    how: { times?: number; status?: string; ago?: number; belongs_to?: string[] } = {},
  ) {
    const { times = 1, status = "success", ago = 3_600, belongs_to = [] } = how;
    const incident_id = await receive({ ...WARNING, process: "ledger", namespace: "z" });
    const at = new Date(clock.now().getTime() - ago * 1000);
    const operation = JSON.stringify({ kind: "process.restart", target, parameters: {} });
    await database.pool.query(
      `insert into approvals select (jsonb_populate_record(a, jsonb_build_object('approval_id', 'APR-' || n, 'status', 'superseded'))).*
         from approvals a, generate_series(1, $2) n where incident_id = $1`,
      [incident_id, times],
    );
    await database.pool.query(
      `insert into executions (execution_id, incident_id, approval_id, operation, plan_hash, status, attempts, caller,
                               created_at, started_at, deadline, before)
       select 'EXE-' || n, $1, 'APR-' || n, $3, 'hash', $4, 1, 'auto_repair', $5, $5, $5, $6 from generate_series(1, $2) n`,
      [incident_id, times, operation, status, at, JSON.stringify({ belongs_to })],
    );
  }
  const shopIn = (namespace: string) => receive({ ...WARNING, process: "shop", namespace });

  it("of trouble that was repaired too often within 30 days, under whatever name of the anomaly", async () => {
    await acted({ kind: "process", name: "shop" }, { times: 19, ago: 20 * 86_400 });
    const [one, other] = [await shopIn("a"), await shopIn("b")];
    expect(one).not.toBe(other);
    expect(await blocked(other)).toEqual([]);
    await database.pool.query("truncate executions cascade");
    await database.pool.query(
      "delete from approvals where approval_id like 'APR-_' or approval_id like 'APR-__'",
    );
    await acted({ kind: "process", name: "shop" }, { times: 20, ago: 20 * 86_400 });
    expect(await blocked(other)).toEqual(["tier"]);
  });

  it("of a target whose last repair by itself failed, in whatever incident", async () => {
    await acted({ kind: "process", name: "shop" }, { status: "failed" });
    expect(await blocked(await shopIn("a"))).toEqual(["failed_before"]);
    clock.forward(86_400);
    expect(await blocked(await shopIn("a"))).toEqual([]);
  });

  it("of what belongs to the same as what was acted on before", async () => {
    const web = { kind: "container", name: "shop-db-1", host: "web1" } as const;
    const service = { kind: "compose_service", name: "db", host: "web1" } as const;
    const on = (target: OperationTarget): Operation[] => [
      { kind: "host.docker_restart", target, parameters: {} } as Operation,
    ];
    const incident_id = await shopIn("a");
    await acted(service, { status: "failed" });
    expect(await blocked(incident_id, { operations: on(web), belongs_to: ["web1/db"] })).toEqual([
      "failed_before",
    ]);
    expect(await blocked(incident_id, { operations: on(web), belongs_to: ["web1/cache"] })).toEqual([]);
    await database.pool.query("truncate executions cascade");
    await database.pool.query("delete from approvals where approval_id like 'APR-_'");
    await acted(web, { status: "failed", belongs_to: ["web1/db"] });
    expect(await blocked(incident_id, { operations: on(service) })).toEqual(["failed_before"]);
    expect(await blocked(incident_id, { operations: on({ ...service, name: "cache" }) })).toEqual([]);
  });

  it("of a target for which people rejected a plan, in whatever incident", async () => {
    const first = await shopIn("a");
    await database.pool.query("update approvals set status = 'rejected' where incident_id = $1", [first]);
    const plan = await database.pool.query("select plan from approvals where incident_id = $1", [first]);
    expect(plan.rows).toHaveLength(1);
    expect(await blocked(await shopIn("b"))).toEqual(["people_rejected"]);
    expect(await blocked(await receive({ ...WARNING, process: "ledger" }))).toEqual([]);
  });

  it("of what such a target belongs to as the system says, and not as a label does", async () => {
    const pay = { kind: "deployment", name: "pay", namespace: "prod" } as const;
    const first = await receive({ ...WARNING, process: "shop", component: "prod/pay" });
    const rejected = (belongs_to: string) =>
      database.pool.query(
        `update approvals set status = 'rejected', blast_radius = ${belongs_to} where incident_id = $1`,
        [first],
      );
    const other = await receive({ ...WARNING, process: "ledger" });
    const onPay = () => blocked(other, { operations: [restartOf(pay)] });
    await rejected("blast_radius");
    expect(await onPay()).toEqual([]);
    await rejected(`blast_radius || '{"belongs_to": ["prod/pay"]}'`);
    expect(await onPay()).toEqual(["people_rejected"]);
    // From before it was kept by itself.
    await rejected("blast_radius - 'belongs_to'");
    expect(await onPay()).toEqual(["people_rejected"]);
  });
});

describe("labels that are called as settings", () => {
  const CLAIMS = {
    mode: "auto",
    cold_start: "true",
    risk: "low",
    trust: "1",
    authority: "policy",
    approved: "true",
    environment: "dev",
    tier: "1",
    escalation_level: "1",
    service_registry: "auto",
    playbook_id: "PBK-1",
    freeze: "false",
    criticality: "none",
    timezone: "Asia/Taipei",
  };

  it("change nothing, whatever they claim", async () => {
    registered({ shop: "never" }, "auto");
    const incident_id = await receive({ process: "shop", severity: "high", auto_repair: "true", ...CLAIMS });
    expect(await blocked(incident_id)).toEqual(["service_registry", "severity"]);
  });

  it("are no source and no sender of another name", async () => {
    const incident_id = await receive({ ...WARNING, process: "shop", source: "sweep", actor: "ada" });
    const { rows } = await database.pool.query("select distinct source from alerts");
    expect(rows).toEqual([{ source: "alertmanager" }]);
    const { rows: story } = await database.pool.query(
      "select distinct actor, actor_kind from timeline where incident_id = $1",
      [incident_id],
    );
    expect(story).toEqual([{ actor: "intake (system)", actor_kind: "system" }]);
  });
});

describe("what a sender says only to have less done", () => {
  it.each<[string, Labels]>([
    ["information", { process: "shop", severity: "info" }],
    [
      "a certificate that has long to live",
      { alertname: "TLSCertExpires", process: "shop", days_remaining: "90" },
    ],
  ])("%s is decided about by nobody", async (_what, labels) => {
    const incident_id = await receive(labels);
    const { rows } = await database.pool.query("select 1 from decisions where incident_id = $1", [
      incident_id,
    ]);
    expect(rows).toEqual([]);
  });

  it("that it is over ends the authority to act, and gives none", async () => {
    const labels = { ...WARNING, process: "shop" };
    const incident_id = await receive(labels);
    await receive(labels, "resolved");
    expect((await getIncident(deps.as("pipeline"), incident_id)).status).toBe("resolved");
    const { rows } = await database.pool.query(
      "select distinct status from approvals where incident_id = $1",
      [incident_id],
    );
    expect(rows).not.toContainEqual({ status: "approved" });
    const { rows: counts } = await database.pool.query("select runs, successes, trust from playbooks");
    expect(counts).toEqual([{ runs: 9, successes: 9, trust: 0.9 }]);
  });
});
