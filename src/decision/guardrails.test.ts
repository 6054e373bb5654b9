import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { SEED } from "../../test/support/random.ts";
import type { Operation } from "../operation/index.ts";
import { evaluateGuardrails, GUARDRAIL_IDS, type GuardrailFacts } from "./guardrails.ts";
import { parseServiceRegistry, repairOf } from "./service-registry.ts";

const RESTART: Operation = {
  kind: "process.restart",
  target: { kind: "process", name: "shop" },
  parameters: {},
};
const PRUNE: Operation = {
  kind: "host.docker_prune",
  target: { kind: "host", name: "h" },
  parameters: { what: "image", all_images: true },
};
const CLEAR: Operation = {
  kind: "host.clear_docker_logs",
  target: { kind: "host", name: "h" },
  parameters: {},
};
const PROVEN = { name: "shop", status: "approved" as const, runs: 4, successes: 4, trust: 0.68 };
const AUTO = { outcome: "auto" as const, rule: "playbook_by_itself", reason: "" };
const ALLOWED: GuardrailFacts = {
  mode: "auto",
  policy: [AUTO],
  labels: [null, "true"],
  services: [{ service: "shop", repair: "auto" }],
  more_services: false,
  incomplete: false,
  repeats: { target: "shop", times: 19, most: 20 },
  strangers: { services: ["shop"], targets: [] },
  severity: "P2",
  categories: ["general"],
  escalation_level: 1,
  operations: [RESTART],
  risk_level: "medium",
  playbook: PROVEN,
  terms: { success_rate: 0.8, trust: 0.5, cold_start: false },
  earlier: { rejected: false, failed: false },
  approver_lapsed: null,
  stopped: null,
  failed_checks: [],
};
const NEVER_RUN = { ...PROVEN, runs: 0, successes: 0, trust: 0 };
const blockers = (change: Partial<GuardrailFacts>) =>
  evaluateGuardrails({ ...ALLOWED, ...change }).blocked_by.map((one) => one.guardrail);

const BLOCKED: [string, Partial<GuardrailFacts>][] = [
  ["mode", { mode: "suggest" }],
  ["mode", { mode: "shadow" }],
  ["policy", { policy: [AUTO, { outcome: "manual", rule: "not_executable", reason: "nothing can" }] }],
  ["policy", { policy: [{ outcome: "none", rule: "information_only", reason: "information" }] }],
  ["auto_repair_label", { labels: ["true", "false"] }],
  ["auto_repair_label", { labels: [""] }],
  ["auto_repair_label", { labels: ["yes"] }],
  ["auto_repair_label", { labels: [" true"] }],
  ["service_registry", { services: [{ service: "shop", repair: "suggest" }] }],
  [
    "service_registry",
    {
      services: [
        { service: "a", repair: "auto" },
        { service: "b", repair: "never" },
      ],
    },
  ],
  ["severity", { severity: "P0" }],
  ["severity", { severity: "P1" }],
  ["category", { categories: ["general", "secops"] }],
  ["many_services", { more_services: true }],
  ["incomplete_alert", { incomplete: true }],
  ["playbook_services", { strangers: { services: ["shop"], targets: ["ledger"] } }],
  ["destructive", { operations: [RESTART, CLEAR] }],
  ["destructive", { operations: [PRUNE] }],
  ["tier", { escalation_level: 4 }],
  ["tier", { repeats: { target: "shop", times: 20, most: 20 } }],
  ["playbook_status", { playbook: null }],
  ["playbook_status", { playbook: { ...PROVEN, status: "draft" } }],
  ["playbook_status", { playbook: { ...PROVEN, status: "deprecated" } }],
  ["approver_lapsed", { approver_lapsed: "all their tokens are revoked" }],
  ["success_rate", { playbook: { ...PROVEN, runs: 10, successes: 7 } }],
  ["trust", { playbook: { ...PROVEN, trust: 0.4375 } }],
  ["cold_start", { playbook: NEVER_RUN, risk_level: "low" }],
  [
    "cold_start",
    { playbook: NEVER_RUN, risk_level: "medium", terms: { ...ALLOWED.terms, cold_start: true } },
  ],
  ["people_rejected", { earlier: { rejected: true, failed: false } }],
  ["failed_before", { earlier: { rejected: false, failed: true } }],
  ["circuit_breaker", { stopped: "changes are frozen" }],
  ["dry_run", { failed_checks: ["permission"] }],
  ["dry_run", { failed_checks: null }],
];

describe("guardrails", () => {
  it("let through what none of them blocks", () => {
    expect(evaluateGuardrails(ALLOWED)).toEqual({ blocked_by: [], cold_start: false });
    expect(blockers({ labels: [] })).toEqual([]);
    expect(blockers({ labels: ["TRUE", "True"] })).toEqual([]);
    expect(blockers({ services: [] })).toEqual([]);
    expect(blockers({ severity: "P3", escalation_level: 3 })).toEqual([]);
  });

  it("let a playbook that has never run through where that is allowed and its risk is low", () => {
    const terms = { ...ALLOWED.terms, cold_start: true };
    const facts: GuardrailFacts = { ...ALLOWED, playbook: NEVER_RUN, risk_level: "low", terms };
    expect(evaluateGuardrails(facts)).toEqual({ blocked_by: [], cold_start: true });
  });

  it.each(BLOCKED)("%s blocks, by its name and with a reason, whatever else allows", (guardrail, change) => {
    const { blocked_by } = evaluateGuardrails({ ...ALLOWED, ...change });
    expect(blocked_by).toEqual([{ guardrail, reason: expect.stringMatching(/\S/) }]);
  });

  it("are all tested here", () => {
    expect([...new Set(BLOCKED.map(([id]) => id))].sort()).toEqual([...GUARDRAIL_IDS].sort());
  });

  it("name everything that blocks at once, and one more change never unblocks", () => {
    const changes = fc.uniqueArray(fc.constantFrom(...BLOCKED), {
      // What is said of a playbook in one would be said otherwise in another.
      selector: ([, change]) => ("playbook" in change ? "playbook" : Object.keys(change).join()),
      minLength: 1,
    });
    fc.assert(
      fc.property(changes, (chosen) => {
        const facts = Object.assign({}, ...chosen.map(([, change]) => change)) as Partial<GuardrailFacts>;
        // What is said of a playbook goes together: only whether it blocks at all can be told.
        const found = blockers(facts);
        expect(found.length).toBeGreaterThan(0);
        const alone = chosen.filter(([, change]) => !("playbook" in change)).map(([id]) => id);
        expect(found).toEqual(expect.arrayContaining(alone));
      }),
      { seed: SEED, numRuns: 500 },
    );
  });
});

describe("the service registry", () => {
  const REGISTRY = parseServiceRegistry(
    `services:
  shop: { auto_repair: auto, owner: ada, channel: "#shop", dependencies: [db] }
  db: { auto_repair: never }`,
    "test",
  );

  it("says what it lists, by name in any case, and of what it does not list its default", () => {
    expect(repairOf(REGISTRY, ["Shop", "web-1"])).toEqual([
      { service: "Shop", repair: "auto" },
      { service: "web-1", repair: "suggest" },
    ]);
    expect(repairOf(REGISTRY, ["shop", "db", "db"])).toEqual([
      { service: "shop", repair: "auto" },
      { service: "db", repair: "never" },
    ]);
    expect(repairOf(REGISTRY, ["mail"])).toEqual([{ service: "mail", repair: "suggest" }]);
    expect(repairOf(null, ["mail"])).toEqual([]);
  });

  it("tells everything that is wrong with it", () => {
    const wrong = () =>
      parseServiceRegistry(
        "default: yes\nservices:\n  shop: { auto_repair: sometimes }\n  db: {}\nmore: 1",
        "test",
      );
    expect(wrong).toThrowError(
      expect.objectContaining({
        errors: expect.arrayContaining(
          ["default", "services.shop.auto_repair", "services.db.auto_repair"].map((path) =>
            expect.objectContaining({ path }),
          ),
        ),
      }),
    );
    const twice = () =>
      parseServiceRegistry("services: { shop: { auto_repair: auto }, Shop: { auto_repair: never } }", "test");
    expect(twice).toThrowError(/not valid/);
  });
});
