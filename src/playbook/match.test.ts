import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { SEED } from "../../test/support/random.ts";
import type { PlaybookStep, SymptomPattern } from "../contract/playbook.ts";
import { match } from "./match.ts";
import { similarity } from "./similarity.ts";
import { trustAfter } from "./trust.ts";
import type { PlaybookRow, Symptoms } from "./types.ts";

const NAMES = ["ShopDown", "ShopSlow", "DiskFull", "PodCrash"];
const SERVICES = ["shop", "pay", "mail"];
const SEVERITIES = ["P0", "P1", "P2", "P3"] as const;
const some = <T>(values: readonly T[], minLength: number) =>
  fc.uniqueArray(fc.constantFrom(...values), { minLength });
const pattern: fc.Arbitrary<SymptomPattern> = fc.record({
  alert_names: some(NAMES, 1),
  services: some(SERVICES, 0),
  severities: some(SEVERITIES, 0),
});
const symptoms: fc.Arbitrary<Symptoms> = fc.record({
  alert_names: some(NAMES, 0),
  services: some(SERVICES, 0),
  severity: fc.constantFrom(...SEVERITIES),
});
const holds = <T>(one: fc.Arbitrary<T>, judge: (value: T) => void) =>
  fc.assert(fc.property(one, judge), { seed: SEED, numRuns: 1_000 });

const TARGET = { kind: "process", name: "shop" };
const RESTART: PlaybookStep = {
  order: 1,
  operation: "process.restart",
  target: "{target}",
  parameters: {},
  risk: "medium",
};
const AT = new Date("2026-05-04T08:00:00.000Z");
const playbook = (change: Partial<PlaybookRow> = {}): PlaybookRow => ({
  playbook_id: "PBK-1",
  name: "shop",
  description: "",
  status: "approved",
  pattern: { alert_names: ["ShopDown"], services: [], severities: [] },
  steps: [RESTART],
  runs: 0,
  successes: 0,
  failures: 0,
  trust: 0,
  source: "manual",
  created_by: "ada",
  created_by_kind: "person",
  approved_by_kind: "person",
  approved_by_person: null,
  approved_at: null,
  approved_by: "ada",
  created_at: AT,
  updated_at: AT,
  ...change,
});
const DOWN = { alert_names: ["ShopDown"], services: ["shop"], severity: "P2" as const, target: TARGET };
const TERMS = { similarity: 0.85, success_rate: 0.8 };

describe("the similarity of an incident to a pattern", () => {
  it("is from 0 to 1, and 0 exactly where they share no alert", () => {
    holds(fc.tuple(symptoms, pattern), ([seen, one]) => {
      const like = similarity(seen, one);
      expect(like).toBeGreaterThanOrEqual(0);
      expect(like).toBeLessThanOrEqual(1);
      const shared = seen.alert_names.some((name) => one.alert_names.includes(name));
      expect(like === 0).toBe(!shared);
    });
  });

  it("is 1 exactly where the pattern knows everything of it", () => {
    holds(fc.tuple(symptoms, pattern), ([seen, one]) => {
      const knows =
        seen.alert_names.length > 0 &&
        seen.alert_names.every((name) => one.alert_names.includes(name)) &&
        (one.services.length === 0 ||
          (seen.services.length > 0 && seen.services.every((name) => one.services.includes(name)))) &&
        (one.severities.length === 0 || one.severities.includes(seen.severity));
      expect(similarity(seen, one) === 1).toBe(knows);
    });
  });

  it("does not change with order, case or what else the pattern knows", () => {
    holds(fc.tuple(symptoms, pattern, fc.constantFrom(...NAMES)), ([seen, one, more]) => {
      const like = similarity(seen, one);
      const other = {
        ...seen,
        alert_names: [...seen.alert_names].reverse().map((name) => name.toUpperCase()),
        services: [...seen.services].reverse(),
      };
      expect(similarity(other, one)).toBe(like);
      expect(similarity(seen, { ...one, alert_names: [...one.alert_names, more] })).toBeGreaterThanOrEqual(
        like,
      );
    });
  });

  it.each([
    ["one of two alerts is unknown", { alert_names: ["ShopDown", "DiskFull"] }, false],
    ["another service", { services: ["mail"] }, false],
    ["no service is known", { services: [] }, false],
    ["a severity beside those named", { severity: "P1" as const }, true],
    ["two severities away", { severity: "P0" as const }, false],
  ])("reaches what is asked for by default, or not: %s", (_what, change, reaches) => {
    const one = { alert_names: ["ShopDown"], services: ["shop"], severities: ["P2" as const] };
    expect(similarity({ ...DOWN, ...change }, one) >= TERMS.similarity).toBe(reaches);
  });
});

describe("the playbook that answers", () => {
  it("is filled with the incident's own target", () => {
    expect(match([playbook()], DOWN, TERMS)).toMatchObject({
      similarity: 1,
      operations: [{ kind: "process.restart", target: TARGET, parameters: {} }],
    });
  });

  it.each([
    ["is a draft", { status: "draft" }],
    ["is out of use", { status: "deprecated" }],
    ["is for other trouble", { pattern: { alert_names: ["DiskFull"], services: [], severities: [] } }],
    ["has worked too seldom", { runs: 10, successes: 7, failures: 3 }],
    ["cannot act on the target", { steps: [{ ...RESTART, operation: "kubernetes.cordon" }] }],
  ] as const)("is not one that %s", (_what, change) => {
    expect(match([playbook(change as Partial<PlaybookRow>)], DOWN, TERMS)).toBeUndefined();
  });

  it("may have never run, or have worked often enough", () => {
    expect(match([playbook({ runs: 10, successes: 8, failures: 2 })], DOWN, TERMS)).toBeDefined();
  });

  it("is the most alike, then the most trusted, whatever the order in which they are read", () => {
    const wide = playbook({
      playbook_id: "PBK-2",
      pattern: { alert_names: ["ShopDown"], services: [], severities: ["P1"] },
      trust: 1,
    });
    const close = playbook({ playbook_id: "PBK-3" });
    const trusted = playbook({ playbook_id: "PBK-4", trust: 0.5 });
    holds(fc.shuffledSubarray([wide, close, trusted], { minLength: 3 }), (list) => {
      expect(match(list, DOWN, TERMS)?.playbook.playbook_id).toBe("PBK-4");
    });
  });

  it("is none without an alert, whatever is asked for", () => {
    holds(fc.double({ min: 0, max: 1, noNaN: true }), (least) => {
      const terms = { ...TERMS, similarity: least };
      expect(match([playbook()], { ...DOWN, alert_names: [] }, terms)).toBeUndefined();
    });
  });
});

describe("trust", () => {
  it("stays from 0 to 1, grows with every run that worked and is gone with one that did not", () => {
    holds(fc.array(fc.boolean(), { maxLength: 60 }), (runs) => {
      let trust = 0;
      for (const success of runs) {
        const after = trustAfter(trust, success);
        expect(after).toBeLessThanOrEqual(1);
        if (success) expect(after).toBeGreaterThanOrEqual(trust);
        else expect(after).toBe(0);
        trust = after;
      }
    });
    expect([1, 2, 3].reduce((trust) => trustAfter(trust, true), 0)).toBeGreaterThan(0.5);
  });
});
