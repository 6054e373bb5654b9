import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { SEED } from "../../test/support/random.ts";
import type { Risk } from "../contract/common.ts";
import { countSigners, signerRole } from "./quorum.ts";

const PLAN = "a".repeat(64);
const OTHER = "b".repeat(64);
const risk = fc.constantFrom<Risk>("low", "medium", "high", "critical");
const role = fc.constantFrom("viewer", "responder", "approver", "admin", "root", "");
const hash = fc.constantFrom(PLAN, OTHER, "");
const signature = fc.record({ person_id: fc.constantFrom("p1", "p2", "p3", "p4"), plan_hash: hash, role });
const MAY_SIGN: Record<Risk, string[]> = {
  low: ["responder", "approver", "admin"],
  medium: ["approver", "admin"],
  high: ["approver", "admin"],
  critical: ["approver", "admin"],
};

describe("quorum", () => {
  it("counts one person at most once, whatever that person does", () => {
    fc.assert(
      fc.property(fc.array(signature, { maxLength: 30 }), risk, (signatures, level) => {
        const alone = signatures.map((one) => ({ ...one, person_id: "p1" }));
        expect(countSigners(alone, PLAN, level)).toBeLessThanOrEqual(1);
      }),
      { seed: SEED },
    );
  });

  it("counts exactly the people who signed this plan with a role that may", () => {
    fc.assert(
      fc.property(fc.array(signature, { maxLength: 30 }), risk, (signatures, level) => {
        const people = ["p1", "p2", "p3", "p4"].filter((person) =>
          signatures.some(
            (one) => one.person_id === person && one.plan_hash === PLAN && MAY_SIGN[level].includes(one.role),
          ),
        );
        expect(countSigners(signatures, PLAN, level)).toBe(people.length);
      }),
      { seed: SEED },
    );
  });

  it("is not moved by signatures of other plans or of too low roles", () => {
    const worthless = (level: Risk) =>
      fc.array(
        signature.filter((one) => one.plan_hash !== PLAN || !MAY_SIGN[level].includes(one.role)),
        { minLength: 1, maxLength: 20 },
      );
    const input = risk.chain((level) =>
      fc.record({
        level: fc.constant(level),
        given: fc.array(signature, { maxLength: 5 }),
        worthless: worthless(level),
      }),
    );
    fc.assert(
      fc.property(input, ({ level, given, worthless: more }) => {
        expect(countSigners([...given, ...more], PLAN, level)).toBe(countSigners(given, PLAN, level));
        expect(countSigners(more, PLAN, level)).toBe(0);
      }),
      { seed: SEED },
    );
  });

  it("lets responders sign low risk only", () => {
    expect(signerRole("low")).toBe("responder");
    for (const level of ["medium", "high", "critical"] as const) expect(signerRole(level)).toBe("approver");
  });
});
