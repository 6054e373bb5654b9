import { readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import {
  correlate,
  DEFAULT_TERMS,
  NO_TOPOLOGY,
  parseTopology,
  type Symptom,
  type Topology,
} from "../../src/incident/index.ts";
import { type Knobs, USUAL } from "../support/cascades.ts";
import { judgeMany } from "../support/judge-groups.ts";
import { type Pairs, pairsOf, scores, sumOf } from "../support/pairs.ts";
import { between, SEED, seededRandom } from "../support/random.ts";
import type { Measure } from "./measure.ts";

const incident = z.object({
  scenario: z.number(),
  alerts: z.array(
    z.object({
      alertname: z.string(),
      group: z.string(),
      kind: z.string(),
      namespace: z.string(),
      description: z.string(),
    }),
  ),
  propagations: z.array(z.object({ source: z.string(), target: z.string() })),
});
type Incident = z.infer<typeof incident>;

type Told = { trouble: number; symptom: Symptom };

// Their ids end with what it is and a number: `cart-pod-1` is a pod of `cart`.
const ID = /^(.+?)-(service|pod|deployment|replicaset|namespace|pvc)(-\d+)?$/;
const nameOf = (id: string) => ID.exec(id)?.[1] ?? id;
const POD = "-7d9f8c6b54-x2k9q";

function labelsOf({ alertname, group, kind, namespace }: Incident["alerts"][number]): Record<string, string> {
  const name = nameOf(group);
  if (kind === "Pod") return { alertname, namespace, pod: `${name}${POD}` };
  return kind === "Service" ? { alertname, namespace, service: name } : { alertname, namespace };
}

const symptomsOf = ({ scenario, alerts }: Incident): Told[] =>
  alerts.map((one, index) => ({
    trouble: scenario,
    symptom: {
      id: `${scenario}-${index}`,
      alert_name: one.alertname,
      labels: labelsOf(one),
      annotations: { description: one.description },
      cluster: "",
      namespace: one.namespace,
      services: [],
      starts_at: null,
    },
  }));

function shuffled<T>(list: readonly T[], seed: string): T[] {
  const random = seededRandom(seed);
  const mixed = [...list];
  for (let last = mixed.length - 1; last > 0; last--) {
    const other = between(random, 0, last);
    [mixed[last], mixed[other]] = [mixed[other] as T, mixed[last] as T];
  }
  return mixed;
}

/**
 * What an operator of that system would have: which services it has that call each other. Faults go both ways along a
 * call: an error to the caller, a lack of work to the callee. So the edges between services of all incidents give the
 * pairs, and what happens at their ends the direction; what broke in which incident is not in it.
 */
function graphOf(incidents: readonly Incident[]): Topology {
  const starving = new Set(["NoRequestsReceived", "NoDatabaseOperations"]);
  const edges: { from: string; to: string }[] = [];
  for (const { alerts, propagations } of incidents) {
    const namesAt = (name: string) => alerts.filter(({ group }) => nameOf(group) === name);
    for (const { source, target } of propagations) {
      const [from, to] = [nameOf(source), nameOf(target)];
      const names = namesAt(to).map(({ alertname }) => alertname);
      if (from === to || !ID.test(source) || names.length === 0) continue;
      edges.push(names.every((name) => starving.has(name)) ? { from, to } : { from: to, to: from });
    }
  }
  return parseTopology(edges);
}

type Grouper = (mix: readonly Told[]) => unknown[];

function ours(topology: Topology): Grouper {
  return (mix) => {
    const groups = correlate(
      mix.map(({ symptom }) => symptom),
      topology,
      DEFAULT_TERMS,
    );
    const places = new Map(groups.flatMap(({ members }, index) => members.map((id) => [id, index] as const)));
    return mix.map(({ symptom }) => places.get(symptom.id));
  };
}

const SIMPLE: readonly (readonly [string, Grouper])[] = [
  ["same name and labels", (mix) => mix.map(({ symptom }) => JSON.stringify(symptom.labels))],
  ["same alert name", (mix) => mix.map(({ symptom }) => symptom.alert_name)],
  ["same namespace", (mix) => mix.map(({ symptom }) => symptom.namespace)],
  ["all in one", (mix) => mix.map(() => 0)],
];

function measure(name: string, grouper: Grouper, mixes: readonly Told[][]): void {
  const pairs: Pairs[] = [];
  let groups = 0;
  for (const mix of mixes) {
    const found = grouper(mix);
    groups += new Set(found).size;
    pairs.push(
      pairsOf(
        found,
        mix.map(({ trouble }) => trouble),
      ),
    );
  }
  const each = pairs.map(scores);
  const mean = (key: "precision" | "recall" | "f1") =>
    each.reduce((sum, one) => sum + one[key], 0) / each.length;
  const { precision, recall, f1 } = scores(sumOf(pairs));
  const perMix = [mean("precision"), mean("recall"), mean("f1")];
  const numbers = [precision, recall, f1, ...perMix, groups / (2 * mixes.length)].map((one) =>
    one.toFixed(2).padStart(10),
  );
  console.log(`  ${name.padEnd(28)}${numbers.join("")}`);
}

const HARDER: Readonly<Record<string, Partial<Knobs>>> = {
  "as the tests have them": {},
  "one fault": { faults: 1 },
  "half of the dependants silent": { drop_out: 0.5 },
  "three times the noise": { noise: 12 },
  "most alerts with bare labels": { bare: 0.6 },
  "no text names a cause": { told: 0 },
  "no times": { untimed: 1 },
  "no machine named": { placed: 0 },
  "the fault itself never alerts": { silent: 1 },
};

function madeUp(): void {
  console.log(`\ncorrelation: 200 systems made up for each line, one or two faults each, seed ${SEED}`);
  console.log(`  ${"".padEnd(38)} precision    recall        F1  cause named`);
  for (const [name, knobs] of Object.entries(HARDER)) {
    for (const graph of [true, false]) {
      const { precision, recall, f1, cause } = judgeMany(SEED, 200, { ...USUAL, ...knobs }, graph);
      const numbers = [precision, recall, f1, cause].map((one) => one.toFixed(2).padStart(10));
      console.log(`  ${`${name}${graph ? "" : ", no graph"}`.padEnd(38)}${numbers.join("")}`);
    }
  }
}

/** How alerts of two incidents that others recorded, told together, are taken apart. */
export const correlation: Measure = (folder) => {
  const text = readFileSync(join(folder, "itbench-incidents.jsonl"), "utf8");
  const incidents = text
    .split("\n")
    .filter((line) => line.trim() !== "")
    .map((line) => incident.parse(JSON.parse(line)));
  const pairs = incidents.flatMap((a, index) => incidents.slice(index + 1).map((b) => [a, b] as const));
  const mixOf = ([a, b]: readonly [Incident, Incident]) =>
    shuffled([...symptomsOf(a), ...symptomsOf(b)], `${SEED}:${a.scenario}:${b.scenario}`);
  const oneNamespace = pairs.filter(
    ([a, b]) => new Set([...a.alerts, ...b.alerts].map(({ namespace }) => namespace)).size === 1,
  );
  for (const [title, chosen] of [
    ["all pairs", pairs],
    ["those in one namespace", oneNamespace],
  ] as const) {
    console.log(`\ncorrelation: two incidents told together, ${title} (${chosen.length}), seed ${SEED}`);
    console.log(
      `  ${"".padEnd(28)} precision    recall        F1   of each: precision, recall, F1   incidents per trouble`,
    );
    const mixes = chosen.map(mixOf);
    for (const [name, grouper] of SIMPLE) measure(name, grouper, mixes);
    measure("awoooi, without a graph", ours(NO_TOPOLOGY), mixes);
    measure("awoooi, with a graph", ours(graphOf(incidents)), mixes);
  }
  console.log(
    "\n  The graph: the service calls that the file's descriptions of spreading faults imply, over all incidents.",
  );
  madeUp();
};
