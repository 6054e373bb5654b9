import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { SEED } from "../../test/support/random.ts";
import { changesSomething, type Operation } from "../operation/index.ts";
import { evaluatePolicy, type PolicyFacts } from "./policy.ts";

const target = { kind: "deployment" as const, name: "web", namespace: "prod" };
const OPERATIONS: Operation[] = [
  { kind: "process.restart", target: { kind: "process", name: "web" }, parameters: {} },
  { kind: "kubernetes.rollout_restart", target, parameters: {} },
  { kind: "kubernetes.rollout_undo", target, parameters: {} },
  { kind: "kubernetes.scale_out", target, parameters: { at_least: 3 } },
  {
    kind: "kubernetes.drain",
    target: { kind: "node", name: "n" },
    parameters: { ignore_daemonsets: true, delete_emptydir_data: false },
  },
  {
    kind: "host.docker_prune",
    target: { kind: "host", name: "h" },
    parameters: { what: "image", all_images: true },
  },
  { kind: "investigate", target: null, parameters: {} },
  { kind: "none", target: null, parameters: {} },
];
const facts: fc.Arbitrary<PolicyFacts> = fc.record({
  mode: fc.constantFrom("shadow", "suggest", "auto"),
  notification_type: fc.oneof(
    fc.constantFrom("TYPE-1", "TYPE-3", "TYPE-4D", "TYPE-5S", "TYPE-6B", "TYPE-8M"),
    fc.string(),
  ),
  category: fc.oneof(fc.constantFrom("secops", "general", "kubernetes"), fc.string()),
  operation: fc.constantFrom(...OPERATIONS),
  executable: fc.boolean(),
  playbook: fc.boolean(),
});
const ASKABLE: PolicyFacts = {
  mode: "suggest",
  notification_type: "TYPE-3",
  category: "kubernetes",
  operation: OPERATIONS[1]!,
  executable: true,
  playbook: false,
};

describe("policy", () => {
  it("always has a verdict with a rule and a reason, and asks exactly when all of it allows", () => {
    fc.assert(
      fc.property(facts, (one) => {
        const verdict = evaluatePolicy(one);
        expect(verdict.rule).not.toBe("");
        expect(verdict.reason).not.toBe("");
        const may =
          one.mode !== "shadow" &&
          one.category !== "secops" &&
          one.notification_type !== "TYPE-1" &&
          changesSomething(one.operation) &&
          one.executable;
        const byItself = one.mode === "auto" && one.playbook;
        expect(verdict.outcome === "ask").toBe(may && !byItself);
        expect(verdict.outcome === "auto").toBe(may && byItself);
      }),
      { seed: SEED, numRuns: 1_000 },
    );
  });

  it("asks in the ordinary case, for every operation that changes something", () => {
    for (const operation of OPERATIONS.slice(0, 6)) {
      expect(evaluatePolicy({ ...ASKABLE, operation })).toMatchObject({ outcome: "ask", rule: "suggest" });
    }
  });

  it.each([
    ["information_only", "none", { notification_type: "TYPE-1" }],
    ["no_action", "none", { operation: OPERATIONS[7]! }],
    ["read_only", "manual", { operation: OPERATIONS[6]! }],
    ["shadow", "none", { mode: "shadow" }],
    ["security", "manual", { category: "secops" }],
    ["not_executable", "manual", { executable: false }],
  ] as const)("does not ask by the rule %s", (rule, outcome, change) => {
    expect(evaluatePolicy({ ...ASKABLE, ...change } as PolicyFacts)).toMatchObject({ rule, outcome });
  });

  it("says how to do by hand what nothing configured can do", () => {
    const { reason } = evaluatePolicy({ ...ASKABLE, executable: false });
    expect(reason).toContain("kubectl rollout restart deployment/web -n prod");
  });
});
