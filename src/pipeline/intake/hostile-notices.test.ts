import fc from "fast-check";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import {
  type ByItself,
  type Labels,
  makeByItself,
  registryOf,
  restartOf,
} from "../../../test/support/by-itself.ts";
import { SEED } from "../../../test/support/random.ts";
import { pagerduty } from "../../adapters/sources/pagerduty/index.ts";
import { limitsFor, listDeadLetters, readBody } from "../../intake/index.ts";

/** What a sender adds, says later, or says in a body that is too large for us: it only narrows. */

let tried: ByItself;
beforeAll(async () => {
  tried = await makeByItself();
});
afterAll(() => tried.database.drop());
beforeEach(() => tried.reset());

const SHOP = { severity: "warning", process: "shop", component: "shop" };
const FINGERPRINT = { fingerprint: "same" };

// What the same alert may say later: what it is about stays, so that the target does.
const LATER: [string, Labels, string][] = [
  ["that it is not to be repaired", { auto_repair: "false" }, "auto_repair_label"],
  ["so in another spelling of the label", { "auto-repair": "no" }, "auto_repair_label"],
  ["another component", { component: "ledger" }, "service_registry"],
  ["another service beside the component", { service: "ledger" }, "service_registry"],
  ["another job beside the component", { job: "ledger" }, "service_registry"],
  ["another pod beside the component", { pod_name: "ledger-7d9f8b6c54-x2x4z" }, "service_registry"],
  ["an owner beside the component", { component: "prod/ledger" }, "service_registry"],
  ["a machine that is listed", { host: "ledger" }, "service_registry"],
  ["that it is a matter of security", { alertname: "SecurityBreachFound" }, "category"],
  ["that it is worse", { severity: "critical" }, "severity"],
  ["that it is information", { severity: "info" }, "policy"],
];

describe("what the same alert says later", () => {
  const restarts = { operations: [restartOf({ kind: "process", name: "shop" })] };
  const first = () => {
    tried.registry = registryOf({ ledger: "never" }, "auto");
    return tried.receive([{ ...SHOP, ...FINGERPRINT }]);
  };

  it.each(LATER)("narrows where it says %s, and is not taken back", async (_what, labels, expected) => {
    const incident_id = await first();
    expect(await tried.blocked(incident_id, restarts)).toEqual([]);
    expect(await tried.receive([{ ...SHOP, ...labels, ...FINGERPRINT }])).toBe(incident_id);
    expect(await tried.blocked(incident_id, restarts)).toContain(expected);
    await tried.receive([{ ...SHOP, ...FINGERPRINT }]);
    expect(await tried.blocked(incident_id, restarts)).toContain(expected);
  });

  it.each(LATER)("also in one body where it says %s, in any place of it", async (_what, labels, expected) => {
    await first();
    const more = { ...SHOP, ...labels, ...FINGERPRINT };
    const incident_id = await tried.receive([{ ...SHOP, ...FINGERPRINT }, more, { ...SHOP, ...FINGERPRINT }]);
    expect(await tried.blocked(incident_id, restarts)).toContain(expected);
  });

  it("narrows where it is in an annotation, and where PagerDuty has it among its details", async () => {
    const event = (custom_details: object) =>
      JSON.stringify({
        event_action: "trigger",
        dedup_key: "k",
        payload: { summary: "x", severity: "warning", class: "Hangs", component: "shop", custom_details },
      });
    tried.deps.sources = [...tried.deps.sources, pagerduty.create({ routing_keys: [] })];
    const [incident_id = ""] = await tried.call("pagerduty", event({}));
    expect(await tried.blocked(incident_id ?? "")).toEqual([]);
    await tried.call("pagerduty", event({ auto_repair: false }));
    expect(await tried.blocked(incident_id ?? "")).toEqual(["auto_repair_label"]);
    await tried.reset();
    const alert = { labels: { alertname: "Hangs", ...SHOP }, annotations: { auto_repair: "false" } };
    const [other] = await tried.call("alertmanager", JSON.stringify({ alerts: [alert] }));
    expect(await tried.blocked(other ?? "")).toEqual(["auto_repair_label"]);
  });

  it("is recorded on the decision, in every mode", async () => {
    const incident_id = await first();
    await tried.receive([{ ...SHOP, auto_repair: "false", ...FINGERPRINT }]);
    const { rows } = await tried.database.pool.query(
      "select policy->'blocked_by'->0->>'guardrail' as name from decisions where incident_id = $1",
      [incident_id],
    );
    expect(rows).toEqual([{ name: "auto_repair_label" }]);
  });

  it("narrows an outage from before it was kept, and one of which more is said than is kept", async () => {
    const incident_id = await first();
    await tried.database.pool.query("update alerts set narrows = '{}'");
    expect(await tried.blocked(incident_id, restarts)).toEqual([]);
    await tried.receive([{ ...SHOP, component: "ledger", ...FINGERPRINT }]);
    expect(await tried.blocked(incident_id, restarts)).toEqual(["service_registry"]);
    for (let at = 0; at < 3; at += 1)
      await tried.receive(
        Array.from({ length: 100 }, (_, n) => ({ ...SHOP, component: `s${at}-${n}`, ...FINGERPRINT })),
      );
    expect(await tried.blocked(incident_id, restarts)).toContain("incomplete_alert");
    const { rows } = await tried.database.pool.query("select max(cardinality(narrows)) as most from alerts");
    expect(rows).toEqual([{ most: 200 }]);
  });
});

describe("an incident that begins with more services than are kept", () => {
  it("keeps so many, and is for people", async () => {
    tried.registry = registryOf({}, "auto");
    const of = (n: number) => ({
      alertname: "KubePodCrashLooping",
      deployment: "api",
      namespace: "prod",
      job: `j${n}`,
    });
    const incident_id = await tried.receive(Array.from({ length: 101 }, (_, n) => of(n)));
    expect((await tried.incident(incident_id)).affected_services).toHaveLength(100);
    expect(await tried.blocked(incident_id)).toContain("many_services");
  });
});

describe("a label more", () => {
  it("never lets through what is blocked without it", async () => {
    const name = fc.constantFrom("shop", "ledger", "prod/ledger", "mail", "web1/db");
    const LABELS = "component service job app deployment pod_name owner_name host node instance workload";
    const label = fc.constantFrom(...LABELS.split(" "), "exported_service", "Component", "auto_repair");
    const labels = fc.dictionary(label, name, { maxKeys: 3 });
    const registry = fc.tuple(
      fc.dictionary(name, fc.constantFrom("auto" as const, "never" as const)),
      fc.constantFrom("auto" as const, "never" as const),
    );
    const asked = {
      operations: [restartOf({ kind: "process", name: "shop" })],
      belongs_to: ["prod/ledger"],
    };
    await fc.assert(
      fc.asyncProperty(labels, label, name, registry, async (base, more, value, [services, other]) => {
        fc.pre(!(more in base));
        const said = async (all: Labels) => {
          await tried.reset();
          tried.registry = registryOf(services, other);
          return tried.blocked(
            await tried.receive([{ severity: "warning", process: "shop", ...all }]),
            asked,
          );
        };
        const without = await said(base);
        expect(await said({ ...base, [more]: value })).toEqual(expect.arrayContaining(without));
      }),
      { seed: SEED, numRuns: 40 },
    );
  });
});

describe("an alert that was not read whole", () => {
  const VICTIM = { alertname: "Hangs", process: "shop", namespace: "prod", severity: "warning" };
  const alertOf = (labels: object) => JSON.stringify({ startsAt: "2026-05-04T07:00:00Z", labels });

  it("has no authority to act where its own labels are too many, and is told", async () => {
    const many = Object.fromEntries(Array.from({ length: 10_000 }, (_, n) => [`l${n}`, "1"]));
    const alert = alertOf({ ...VICTIM, ...many, severity: "critical", auto_repair: "false" });
    const [incident_id] = await tried.call("alertmanager", `{"alerts":[${alert}]}`);
    expect(await tried.blocked(incident_id ?? "")).toContain("incomplete_alert");
    const letters = await listDeadLetters(tried.database.ctx(tried.ada), { limit: 10 });
    expect(letters.items).toMatchObject([{ error: expect.stringContaining("truncated") }]);
  });

  it("has none wherever another's values use up what is read of a body", async () => {
    tried.deps.alerts_per_body = 8;
    const rows = (count: number) => Array.from({ length: count / 8 }, () => Array(8).fill(1));
    // Each `n` is one value more.
    const ones = (count: number) => Array(Math.min(Math.max(count, 1), 8)).fill(1);
    const filler = (n: number) => [
      rows(64),
      rows(64),
      rows(40),
      rows(16),
      ones(n),
      ones(n - 7),
      ones(n - 14),
    ];
    const victim = { labels: { ...VICTIM, auto_repair: "false" } };
    const noise = (n: number) => ({ labels: { alertname: "Noise", deployment: "noise" }, filler: filler(n) });
    const blocked = new Map<string, string[]>();
    for (let n = 1; n < 22; n += 1) {
      const text = JSON.stringify({ alerts: [noise(n), victim] });
      const { json } = readBody(Buffer.from(text), limitsFor(8));
      const read = Object.keys((json as { alerts: (typeof victim)[] }).alerts[1]?.labels ?? {}).join();
      if (!read.includes("process") || blocked.has(read)) continue;
      await tried.database.pool.query("truncate incidents, alerts, receipts cascade");
      const ids = await tried.call("alertmanager", text);
      blocked.set(read, await tried.blocked(ids[1] ?? ""));
    }
    const LABELS = ["alertname", "process", "namespace", "severity", "auto_repair"];
    const half = [2, 3, 4].map(
      (length) => [LABELS.slice(0, length).join(), ["incomplete_alert"]] as [string, string[]],
    );
    expect(blocked).toEqual(new Map([...half, [LABELS.join(), ["auto_repair_label"]]]));
  });
});
