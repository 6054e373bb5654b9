import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { SEED } from "../../test/support/random.ts";
import type { Observation } from "../contract/execution.ts";
import { systemClock } from "../lib/clock.ts";
import type { Observer, VerificationTerms } from "./types.ts";
import { compare, observeTarget, verify } from "./verify.ts";

const TARGET = { kind: "process", name: "web" };
const AT = "2026-05-04T08:00:00.000Z";

/** What is seen of a target of which so many facts are wrong. */
function seen(healthy: boolean | null, failing = healthy === true ? 0 : 1): Observation {
  const facts = Array.from({ length: 3 }, (_, at) => {
    return { name: `fact ${at}`, passed: at >= failing, message: at >= failing ? "well" : "wrong" };
  });
  return { at: AT, healthy, facts };
}

/** An observer that sees these one after the other, and the last one for ever. */
function seeing(...states: (boolean | null | Error)[]): Observer & { looks: number } {
  const observer = {
    id: "scripted",
    looks: 0,
    observes: (target: { kind: string }) => target.kind === "process",
    observe: async () => {
      const state = states[Math.min(observer.looks, states.length - 1)] as boolean | null | Error;
      observer.looks += 1;
      if (state instanceof Error) throw state;
      return seen(state);
    },
  };
  return observer;
}
const terms = (collect: number, healthy_in_a_row = 3): VerificationTerms => ({
  wait: 0,
  look_timeout: 5,
  collect,
  interval: 0,
  healthy_in_a_row,
});
// Longer than any test: what ends before it has ended for another reason.
const LONG = 600;
const verdict = (observers: Observer[], settings: VerificationTerms, before = seen(false)) =>
  verify(observers, TARGET, before, settings, systemClock);

describe("comparing before and after", () => {
  it.each([
    ["nothing can see it", seen(false), null, "inconclusive"],
    ["it cannot be told", seen(false), seen(null), "inconclusive"],
    ["it is healthy again", seen(false), seen(true), "success"],
    ["it is healthy, and was", seen(true), seen(true), "success"],
    ["it is healthy, and nobody knows what it was", null, seen(true), "success"],
    ["less is wrong", seen(false, 3), seen(false, 1), "degraded"],
    ["as much is wrong", seen(false, 2), seen(false, 2), "failed"],
    ["more is wrong", seen(false, 1), seen(false, 3), "failed"],
    ["it was healthy before", seen(true), seen(false, 1), "failed"],
    ["nobody knows what was wrong", null, seen(false, 1), "failed"],
  ] as const)("%s", (_what, before, after, result) => {
    const compared = compare(before, after);
    expect(compared).toMatchObject({ result, evidence: { before, after } });
    expect(compared.reason).not.toBe("");
  });

  it("calls nothing a success that is not seen to be healthy, and says what is wrong", () => {
    const state = fc.option(
      fc
        .tuple(fc.constantFrom(true, false, null), fc.integer({ min: 0, max: 3 }))
        .map(([healthy, failing]) => seen(healthy, failing)),
      { nil: null },
    );
    fc.assert(
      fc.property(state, state, (before, after) => {
        const { result, reason } = compare(before, after);
        expect(result === "success").toBe(after?.healthy === true);
        expect(result === "inconclusive").toBe(after === null || after.healthy === null);
        if (result === "failed" || result === "degraded") {
          for (const fact of after?.facts ?? []) expect(reason.includes(fact.name)).toBe(!fact.passed);
        }
      }),
      { seed: SEED },
    );
  });
});

describe("looking", () => {
  it("sees nothing of no target, or of one that nothing observes", async () => {
    expect(await observeTarget([seeing(true)], null, systemClock, 5)).toBeNull();
    expect(await observeTarget([seeing(true)], { kind: "host", name: "db1" }, systemClock, 5)).toBeNull();
    expect(await observeTarget([], TARGET, systemClock, 5)).toBeNull();
  });

  it("cannot tell where the observer does not come back", async () => {
    const hanging: Observer = { ...seeing(true), observe: () => new Promise(() => {}) };
    expect(await observeTarget([hanging], TARGET, systemClock, 0.01)).toMatchObject({
      healthy: null,
      facts: [{ passed: false, message: "observing timed out after 0.01 s" }],
    });
  });

  it("cannot tell where the observer throws, at once or later, and says why", async () => {
    const atOnce: Observer = {
      ...seeing(true),
      observe: () => {
        throw new Error("no answer");
      },
    };
    for (const observer of [seeing(new Error("no answer")), atOnce]) {
      expect(await observeTarget([observer], TARGET, systemClock, 5)).toMatchObject({
        healthy: null,
        facts: [{ name: "scripted", passed: false, message: "no answer" }],
      });
    }
  });
});

describe("verifying", () => {
  it("is a success after so many healthy looks in a row, and looks no further", async () => {
    const observer = seeing(true);
    expect((await verdict([observer], terms(LONG, 3))).result).toBe("success");
    expect(observer.looks).toBe(3);
  });

  it("counts from the beginning after every look that is not healthy", async () => {
    const observer = seeing(true, true, false, true, null, true, true, new Error("lost"), true, true, true);
    expect((await verdict([observer], terms(LONG, 3))).result).toBe("success");
    expect(observer.looks).toBe(11);
  });

  it("calls one lucky answer at the end of the time degraded, not a success", async () => {
    expect(await verdict([seeing(true)], terms(0, 2))).toMatchObject({
      result: "degraded",
      reason: expect.stringContaining("long enough"),
    });
    expect((await verdict([seeing(true)], terms(0, 1))).result).toBe("success");
  });

  it("has failed when it was never healthy", async () => {
    const { result, evidence } = await verdict([seeing(false)], terms(0.02));
    expect(result).toBe("failed");
    expect(evidence.after).toMatchObject({ healthy: false });
  });

  it("is inconclusive where nothing observes the target, at once", async () => {
    expect((await verdict([], terms(LONG))).result).toBe("inconclusive");
    expect((await verify([seeing(true)], null, null, terms(LONG), systemClock)).result).toBe("inconclusive");
  });

  it("is inconclusive where the observer throws to the end", async () => {
    const { result, evidence } = await verdict([seeing(new Error("no answer"))], terms(0.02));
    expect(result).toBe("inconclusive");
    expect(evidence.after?.facts).toMatchObject([{ message: "no answer" }]);
  });

  it("draws its conclusion at once when it is told to stop", async () => {
    const stopped = AbortSignal.abort();
    const conclusion = await verify([seeing(false)], TARGET, seen(false), terms(LONG), systemClock, {
      signal: stopped,
    });
    expect(conclusion.result).toBe("failed");
  });
});
