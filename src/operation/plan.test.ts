import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { SEED } from "../../test/support/random.ts";
import { type Plan, plan, planHash } from "./plan.ts";

const name = fc.stringMatching(/^[a-z]([a-z0-9-]{0,20}[a-z0-9])?$/);
const place = {
  name,
  namespace: fc.option(name, { nil: undefined }),
  cluster: fc.option(name, { nil: undefined }),
  host: fc.option(name, { nil: undefined }),
};
const target = (kinds: string[], more = {}) =>
  fc
    .record({ kind: fc.constantFrom(...kinds), ...place, ...more })
    .map((one) => Object.fromEntries(Object.entries(one).filter(([, value]) => value !== undefined)));
// In a cluster every name has a namespace.
const workload = (...kinds: string[]) => target(kinds, { namespace: name });
const none = fc.constant({});
const anyOperation = fc.oneof(
  fc.record({ kind: fc.constant("process.restart"), target: target(["process"]), parameters: none }),
  fc.record({
    kind: fc.constantFrom("kubernetes.rollout_restart", "kubernetes.rollout_undo"),
    target: workload("deployment", "statefulset", "daemonset"),
    parameters: none,
  }),
  fc.record({
    kind: fc.constant("kubernetes.scale_out"),
    target: workload("deployment", "statefulset"),
    parameters: fc.record({ at_least: fc.integer({ min: 1, max: 1_000 }) }),
  }),
  fc.record({
    kind: fc.constant("investigate"),
    target: fc.option(target(["host", "unknown"]), { nil: null }),
    parameters: none,
  }),
);
const anyPlan = fc
  .record({
    version: fc.constant(1),
    approval_id: name,
    incident_id: name,
    operation: anyOperation,
    risk_level: fc.constantFrom("low", "medium", "high", "critical"),
    required_signatures: fc.integer({ min: 1, max: 9 }),
  })
  .map((value) => plan.parse(value));

type Json = string | number | boolean | null | { [key: string]: Json };

/** Every value that comes from `value` by changing, removing or adding one leaf somewhere. */
function* neighbours(value: Json): Generator<Json | undefined> {
  if (value === null || typeof value !== "object") {
    yield typeof value === "string" ? `${value}x` : null;
    if (typeof value === "number") yield value + 1;
    yield undefined;
    return;
  }
  for (const key of ["namespace", "cluster", "host", "at_least"]) {
    if (!(key in value)) yield { ...value, [key]: "added" };
  }
  for (const [key, item] of Object.entries(value)) {
    for (const other of neighbours(item)) {
      const { [key]: _, ...rest } = value;
      yield other === undefined ? rest : { ...rest, [key]: other };
    }
  }
}

const KINDS = [
  ["operation", "kind", "process.restart"],
  ["operation", "kind", "kubernetes.rollout_restart"],
  ["operation", "kind", "kubernetes.rollout_undo"],
  ["risk_level", undefined, "low"],
  ["risk_level", undefined, "critical"],
] as const;

/** The neighbours that differ by a word of a closed list. */
function* reworded(value: Plan): Generator<Json> {
  const json = value as unknown as { [key: string]: Json };
  for (const [key, inner, word] of KINDS) {
    if (inner === undefined) yield { ...json, [key]: word };
    else yield { ...json, [key]: { ...(json[key] as object), [inner]: word } };
  }
}

const reversed = (value: Json): Json =>
  value === null || typeof value !== "object"
    ? value
    : Object.fromEntries(
        Object.entries(value)
          .reverse()
          .map(([key, item]) => [key, reversed(item)]),
      );

const sameJson = (a: unknown, b: unknown) => JSON.stringify(plan.parse(a)) === JSON.stringify(plan.parse(b));

describe("the hash of a plan", () => {
  it("changes with every leaf, or the changed plan is no plan at all", () => {
    let compared = 0;
    fc.assert(
      fc.property(anyPlan, (one) => {
        const hash = planHash(one);
        const others = [...neighbours(one as unknown as Json), ...reworded(one)];
        const plans = others.filter((other) => plan.safeParse(other).success && !sameJson(other, one));
        compared += plans.length;
        for (const other of plans) expect(planHash(other as unknown as Plan)).not.toBe(hash);
        // Approval, incident, target's name, risk and signatures can always be changed to another plan.
        expect(plans.length).toBeGreaterThanOrEqual(4);
      }),
      { seed: SEED },
    );
    expect(compared).toBeGreaterThan(500);
  });

  it("is the same for the same content in another order of keys", () => {
    fc.assert(
      fc.property(anyPlan, (one) => {
        const other = reversed(one as unknown as Json) as unknown as Plan;
        expect(Object.keys(other)).not.toEqual(Object.keys(one));
        expect(planHash(other)).toBe(planHash(one));
      }),
      { seed: SEED },
    );
  });

  it("does not collide for different plans", () => {
    fc.assert(
      fc.property(anyPlan, anyPlan, (one, other) => {
        expect(planHash(one) === planHash(other)).toBe(sameJson(one, other));
      }),
      { seed: SEED },
    );
  });

  it("refuses what it does not know, so that nothing is signed unseen", () => {
    const base: Plan = {
      version: 1,
      approval_id: "APR-1",
      incident_id: "INC-1",
      operation: { kind: "process.restart", target: { kind: "process", name: "web" }, parameters: {} },
      risk_level: "medium",
      required_signatures: 1,
    };
    expect(planHash(base)).toMatch(/^[0-9a-f]{64}$/);
    expect(() => planHash({ ...base, also: "this" } as Plan)).toThrow();
    expect(() => planHash({ ...base, required_signatures: 0 })).toThrow();
    const operation = { ...base.operation, parameters: { command: "rm" } };
    expect(() => planHash({ ...base, operation } as unknown as Plan)).toThrow();
    const target = { kind: "deployment", name: "web" };
    expect(() => planHash({ ...base, operation: { ...base.operation, target } } as Plan)).toThrow();
  });
});
