import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { SEED } from "../../../../../test/support/random.ts";
import { type ClusterHits, choose } from "./choose.ts";
import type { Hit } from "./search.ts";

const api: Hit = { kind: "deployment", name: "api", namespace: "shop", reason: "it has this name" };
const other: Hit = { ...api, namespace: "shop-canary" };
const found = (more: Partial<ClusterHits> = {}): ClusterHits => ({
  cluster: undefined,
  hits: [],
  alike: [],
  unread: [],
  ...more,
});

describe("which object is meant", () => {
  it.each<[string, ClusterHits[], boolean, object]>([
    ["the only one", [found({ hits: [api] })], false, { result: "one", target: { namespace: "shop" } }],
    ["none of two", [found({ hits: [api, other] })], true, { result: "several" }],
    [
      "none of two in two clusters",
      [found({ hits: [api], cluster: "a" }), found({ hits: [api], cluster: "b" })],
      false,
      { result: "several", candidates: [{ target: { cluster: "a" } }, { target: { cluster: "b" } }] },
    ],
    [
      "the only one of two clusters, with its cluster",
      [found({ cluster: "a" }), found({ hits: [api], cluster: "b" })],
      false,
      { result: "one", target: { kind: "deployment", name: "api", namespace: "shop", cluster: "b" } },
    ],
    [
      "not the only one that was seen, where another cluster could not be asked",
      [found({ hits: [api], cluster: "a" }), found({ unread: ["no answer"], cluster: "b" })],
      false,
      { result: "several", candidates: [{ target: { cluster: "a" } }] },
    ],
    [
      "what has this name in the very place that was named, whatever else could not be read",
      [found({ hits: [api], unread: ["cronjobs"] })],
      true,
      { result: "one" },
    ],
    [
      "not what only a label says, where something could not be read",
      [found({ hits: [{ ...api, reason: "its label app says so" }], unread: ["cronjobs"] })],
      true,
      { result: "several" },
    ],
    ["never what is called alike", [found({ alike: [api] })], true, { result: "several" }],
    ["nothing", [found()], false, { result: "none" }],
    ["nothing that could be seen", [found({ unread: ["no answer"] })], false, { result: "unclear" }],
  ])("is %s", (_, all, inPlace, expected) => {
    expect(choose(all, inPlace)).toMatchObject(expected);
  });

  it("is never one where there are two, nor one that is only alike, and shows ten at most", () => {
    const hit = fc.record({
      kind: fc.constantFrom("deployment", "statefulset", "service"),
      name: fc.constantFrom("api", "web"),
      namespace: fc.constantFrom("shop", "pay"),
      reason: fc.constantFrom("it has this name", "its label app says so"),
    });
    const one = fc.record({
      cluster: fc.constantFrom(undefined, "a", "b"),
      hits: fc.array(hit, { maxLength: 8 }),
      alike: fc.array(hit, { maxLength: 8 }),
      unread: fc.array(fc.constant("nodes: no answer"), { maxLength: 1 }),
    });
    fc.assert(
      fc.property(fc.array(one, { maxLength: 4 }), fc.boolean(), (all, inPlace) => {
        const choice = choose(all, inPlace);
        const hits = all.flatMap((from) => from.hits);
        if (choice.result === "one") {
          expect(hits).toHaveLength(1);
          expect(choice.target).toMatchObject({ kind: hits[0]?.kind, namespace: hits[0]?.namespace });
          expect(inPlace || all.every(({ unread }) => unread.length === 0)).toBe(true);
        }
        if (choice.result === "several") expect(choice.candidates.length).toBeLessThanOrEqual(10);
        if (choice.result === "none") expect(all.some(({ unread }) => unread.length > 0)).toBe(false);
      }),
      { seed: SEED },
    );
  });
});
