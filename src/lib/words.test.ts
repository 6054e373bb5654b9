import { expect, it } from "vitest";
import { counted, plural, withArticle } from "./words.ts";

it.each([
  ["process", "processes", "a process"],
  ["ingress", "ingresses", "an ingress"],
  ["ready address", "ready addresses", "a ready address"],
  ["host", "hosts", "a host"],
  ["unit", "units", "a unit"],
  ["unknown", "unknowns", "an unknown"],
  ["entry", "entries", "an entry"],
  ["day", "days", "a day"],
  ["match", "matches", "a match"],
  ["index", "indexes", "an index"],
  ["replicaset", "replicasets", "a replicaset"],
  ["horizontalpodautoscaler", "horizontalpodautoscalers", "a horizontalpodautoscaler"],
])("has words of %s", (noun, many, one) => {
  expect(plural(noun)).toBe(many);
  expect(withArticle(noun)).toBe(one);
  expect([counted(1, noun), counted(0, noun), counted(2, noun)]).toEqual([
    `1 ${noun}`,
    `0 ${many}`,
    `2 ${many}`,
  ]);
});
