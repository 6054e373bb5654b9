import { canonicalJson, hashOfTexts } from "../lib/canonical-json.ts";
import { compileMatchers, type LabelTest } from "../lib/matchers.ts";
import type { InhibitRule } from "./settings.ts";
import type { FiringLabels } from "./types.ts";

type Compiled = { id: string; source: LabelTest; target: LabelTest; equal: readonly string[] };

/** The keys by which an alert inhibits others, and those by which it is inhibited. */
export type InhibitionKeys = { inhibits: string[]; inhibited: string[] };

const labelOf = ({ labels }: FiringLabels, name: string) =>
  Object.hasOwn(labels, name) ? (labels[name] ?? "") : "";

/**
 * Returns a function that gives an alert's keys: a source has the key of each rule whose source side it fits; a target looks for
 * those of the rules whose target side it fits. A key includes the labels that must be equal, missing ones as empty. As in
 * Alertmanager, an alert that fits both sides of a rule is not inhibited by another such alert, and so never by itself.
 */
export function inhibitionKeys(rules: readonly InhibitRule[]): (alert: FiringLabels) => InhibitionKeys {
  const compiled = rules.map(
    (rule): Compiled => ({
      id: canonicalJson(rule),
      source: compileMatchers(rule.source),
      target: compileMatchers(rule.target),
      equal: rule.equal,
    }),
  );
  return (alert) => {
    const keys: InhibitionKeys = { inhibits: [], inhibited: [] };
    for (const { id, source, target, equal } of compiled) {
      const isSource = source(alert.labels);
      const isTarget = target(alert.labels);
      if (!isSource && !isTarget) continue;
      const values = equal.map((name) => labelOf(alert, name));
      const key = (sides: "one" | "both") => hashOfTexts([id, sides, ...values]).slice(0, 32);
      if (isSource) keys.inhibits.push(key(isTarget ? "both" : "one"));
      if (isTarget) keys.inhibited.push(key("one"), ...(isSource ? [] : [key("both")]));
    }
    return keys;
  };
}
