import { describe, expect, it } from "vitest";
import { caseOf, USUAL } from "../../../test/support/cascades.ts";
import { judgeMany } from "../../../test/support/judge-groups.ts";
import { between, SEED, seededRandom } from "../../../test/support/random.ts";
import { correlate, DEFAULT_TERMS, NO_TOPOLOGY, parseTopology, probableCause, relate } from "../index.ts";
import type { Symptom } from "./types.ts";

const START = Date.UTC(2026, 0, 1);
let count = 0;
function symptom(
  alert_name: string,
  labels: Record<string, string>,
  more: { text?: string; minute?: number } = {},
) {
  count += 1;
  const { text, minute } = more;
  const one: Symptom = {
    id: `${count}`,
    alert_name,
    labels,
    annotations: text === undefined ? {} : { summary: text },
    cluster: "",
    namespace: "",
    services: [],
    starts_at: minute === undefined ? null : new Date(START + minute * 60_000),
  };
  return one;
}

const graph = parseTopology({
  services: { web: { depends_on: ["api"], namespace: "prod" }, api: ["db"], db: { namespace: "prod" } },
});
const related = (a: Symptom, b: Symptom, topology = NO_TOPOLOGY) => relate(a, b, topology, DEFAULT_TERMS);
const sizes = (symptoms: Symptom[], topology = NO_TOPOLOGY) =>
  correlate(symptoms, topology, DEFAULT_TERMS)
    .map(({ members }) => members.length)
    .sort();

describe("on systems that were made up, with faults that are known", () => {
  it("keeps troubles apart, finds most of what belongs together, and names the cause", () => {
    const { precision, recall, cause } = judgeMany(SEED, 400, USUAL, true);
    expect(precision).toBeGreaterThanOrEqual(0.95);
    expect(recall).toBeGreaterThanOrEqual(0.8);
    expect(cause).toBeGreaterThanOrEqual(0.9);
  });

  it("keeps troubles apart where nobody knows who depends on whom", () => {
    const { precision, recall } = judgeMany(SEED, 200, USUAL, false);
    expect(precision).toBeGreaterThanOrEqual(0.95);
    expect(recall).toBeGreaterThan(0.1);
  });

  it("comes to the same in whatever order the alerts are", () => {
    const random = seededRandom(`${SEED}:order`);
    for (let index = 0; index < 30; index++) {
      const { told, topology } = caseOf(`${SEED}:order:${index}`, USUAL);
      const symptoms = told.map((one) => one.symptom);
      const mixed = [...symptoms].sort(() => between(random, 0, 2) - 1);
      const groupsOf = (list: Symptom[]) =>
        correlate(list, parseTopology(topology), DEFAULT_TERMS).sort((a, b) =>
          (a.members[0] ?? "") < (b.members[0] ?? "") ? -1 : 1,
        );
      expect(groupsOf(mixed)).toEqual(groupsOf(symptoms));
    }
  });

  it("puts every alert into exactly one group, with its cause among them", () => {
    for (let index = 0; index < 30; index++) {
      const { told, topology } = caseOf(`${SEED}:whole:${index}`, USUAL);
      const symptoms = told.map((one) => one.symptom);
      const groups = correlate(symptoms, parseTopology(topology), DEFAULT_TERMS);
      expect(groups.flatMap(({ members }) => members).sort()).toEqual(symptoms.map(({ id }) => id).sort());
      for (const { members, cause } of groups) {
        if (members.length > 1) expect(members).toContain(cause?.id);
      }
    }
  });
});

describe("a relation", () => {
  it("follows the graph, and says how far and how near in time", () => {
    const effect = symptom("HighErrorRate", { service: "web", namespace: "prod" }, { minute: 4 });
    const cause = symptom("KubePodCrashLooping", { pod: "db-0", namespace: "prod" }, { minute: 0 });
    expect(related(effect, cause, graph)).toEqual({
      strength: "merge",
      reasons: ["web depends on db (2 hops)", "started within 4 min of each other"],
      upstream: "b",
    });
    expect(related(cause, effect, graph)).toMatchObject({ strength: "merge", upstream: "a" });
    expect(related(effect, cause)).toBeNull();
  });

  it("knows a workload by any of its labels, and its pods by their names without hashes", () => {
    const byPod = symptom("KubePodCrashLooping", { pod: "cart-7d9f8c6b54-x2k9q", namespace: "shop" });
    const byService = symptom("HighErrorRate", { service: "cart-service", namespace: "shop" });
    const byHost = symptom("ProbeFailed", { instance: "http://cart.shop.svc.cluster.local:80/healthz" });
    const elsewhere = symptom("HighErrorRate", { service: "cart", namespace: "staging" });
    expect(related(byPod, byService)).toMatchObject({ strength: "merge", upstream: "a" });
    expect(related(byPod, byHost)).toMatchObject({ strength: "merge" });
    expect(related(byPod, elsewhere)).toBeNull();
  });

  it("reads names in texts as whole words, and never common ones", () => {
    const cause = (service: string) => symptom("PodCrash", { service, namespace: "shop" });
    const effect = (text: string) =>
      symptom("HighErrorRate", { service: "web", namespace: "shop" }, { text });
    expect(related(effect("timeouts when calling cart"), cause("cart"))).toMatchObject({ strength: "merge" });
    expect(related(effect("Product catalog answers 503"), cause("product-catalog"))).not.toBeNull();
    expect(related(effect("cartography is slow"), cause("cart"))).toBeNull();
    expect(related(effect("the database is slow"), cause("database"))).toBeNull();
  });

  it("is none between what happened at other times or in other clusters", () => {
    const labels = { service: "web", namespace: "prod" };
    const [early, late] = [symptom("A", labels, { minute: 0 }), symptom("B", labels, { minute: 11 })];
    expect(related(early, late)).toBeNull();
    expect(
      related(symptom("A", { ...labels, cluster: "east" }), symptom("B", { ...labels, cluster: "west" })),
    ).toBeNull();
    expect(related(early, symptom("B", labels))).toMatchObject({ strength: "link" });
  });

  it("is sure of one workload's alerts only where one follows from the other", () => {
    const of = (name: string) => symptom(name, { deployment: "web", namespace: "prod" }, { minute: 0 });
    const relation = (one: string, other: string) => related(of(one), of(other));
    for (const effect of ["KubeDeploymentReplicasMismatch", "WebHighErrorRate", "WebLatencyHigh"])
      expect(relation("KubePodCrashLooping", effect)).toMatchObject({ strength: "merge", upstream: "a" });
    // Two that break a workload, two that only suffer, and what nobody knows: perhaps two troubles.
    for (const [one, other] of [
      ["DiskSpaceLow", "HighCPUUsage"],
      ["WebDown", "WebLatencyHigh"],
      ["PrinterOnFire", "PrinterLost"],
      ["KubePodCrashLooping", "PrinterLost"],
    ] as const)
      expect(relation(one, other)).toMatchObject({ strength: "link" });
  });

  it("ties what runs on a lost machine to it", () => {
    const node = symptom("KubeNodeNotReady", { node: "worker-3" }, { minute: 1 });
    const pod = symptom("KubePodNotReady", { pod: "a-0", namespace: "x", node: "worker-3" }, { minute: 2 });
    expect(related(pod, node)).toMatchObject({ strength: "merge", upstream: "b" });
    const other = symptom("KubePodNotReady", { pod: "b-0", namespace: "x", node: "worker-4" }, { minute: 2 });
    expect(sizes([node, pod, other])).toEqual([1, 2]);
  });
});

describe("groups", () => {
  it("keep two faults apart that reach the same caller", () => {
    const topology = parseTopology([
      { from: "web", to: "ledger" },
      { from: "web", to: "stock" },
    ]);
    const alerts = [
      symptom("PodCrash", { service: "ledger", namespace: "x" }, { minute: 0 }),
      symptom("PodCrash", { service: "stock", namespace: "x" }, { minute: 3 }),
      symptom("HighErrorRate", { service: "web", namespace: "x" }, { minute: 4 }),
    ];
    expect(sizes(alerts, topology)).toEqual([1, 2]);
    const [, , web] = alerts;
    const links = correlate(alerts, topology, DEFAULT_TERMS).flatMap((group) => group.links);
    expect(links.map(({ a, relation }) => [a, relation.strength])).toEqual([
      [web?.id, "merge"],
      [web?.id, "link"],
    ]);
  });

  it("name the cause of a trouble that people put together", () => {
    const alerts = [
      symptom("HighErrorRate", { service: "web", namespace: "prod" }),
      symptom("PersistentVolumeFull", { service: "db", namespace: "prod" }),
      symptom("HighLatency", { service: "api", namespace: "prod" }),
    ];
    expect(probableCause(alerts, graph)?.id).toBe(alerts[1]?.id);
    expect(probableCause([], graph)).toBeNull();
  });

  it("are made of a storm, and of texts and labels that mean harm", () => {
    const storm = Array.from({ length: 20_000 }, (_, index) =>
      symptom(
        "HighErrorRate",
        { service: `s${index % 500}-x`, namespace: "prod" },
        {
          minute: index % 10,
          text: `calls s${(index * 7) % 500}-x`,
        },
      ),
    );
    const chain = parseTopology(Array.from({ length: 499 }, (_, at) => [`s${at}-x`, `s${at + 1}-x`]));
    const groups = correlate(storm, chain, DEFAULT_TERMS);
    expect(groups.flatMap(({ members }) => members)).toHaveLength(20_000);
    const hostile = [
      symptom("constructor", JSON.parse('{"__proto__":"x","service":"__proto__"}'), {
        text: "a-".repeat(500_000),
      }),
      symptom("\u0000", { pod: "-".repeat(500_000), instance: "://///" }, { text: "toString __proto__" }),
    ];
    expect(sizes(hostile).reduce((sum, size) => sum + size, 0)).toBe(2);
  });
});

describe("a dependency graph", () => {
  it.each([
    [{ services: { a: { depends_on: { b: { condition: "service_healthy" } } }, b: null } }],
    [{ services: { a: ["b"] } }],
    [{ nodes: ["a", { id: "b" }], edges: [{ source: "a", target: "b" }] }],
    [{ data: [{ parent: "a", child: "b", callCount: 7 }] }],
    [[{ from: "a", to: "b" }]],
    [[["a", "b"]]],
  ])("is read as %j", (json) => {
    const { services, dependencies } = parseTopology(json);
    expect(services.map(({ name }) => name)).toEqual(["a", "b"]);
    expect(dependencies).toEqual([new Set([1]), new Set()]);
  });

  it.each([
    ["a text", ""],
    [{}, ""],
    [{ services: { a: 3 } }, "services.a"],
    [{ services: { a: { depends_on: "b" } } }, "services.a.depends_on"],
    [{ services: { a: { depends_on: ["b", 1] } } }, "services.a.depends_on.1"],
    [[{ from: "a" }], "0"],
    [{ nodes: [{}], edges: [{ from: "a", to: {} }] }, "edges.0.to"],
  ])("is refused as %j", (json, path) => {
    expect(() => parseTopology(json)).toThrow(
      expect.objectContaining({
        code: "invalid",
        errors: expect.arrayContaining([expect.objectContaining({ path })]),
      }),
    );
  });

  it("knows the same name in two namespaces as two", () => {
    const topology = parseTopology({
      services: { "x/web": ["db"], "y/web": ["y/db"], "x/db": [], "y/db": [] },
    });
    const web = symptom("HighErrorRate", { service: "web", namespace: "x" });
    const db = (namespace: string) => symptom("DiskFull", { service: "db", namespace });
    expect(related(web, db("x"), topology)).not.toBeNull();
    expect(related(web, db("y"), topology)).toBeNull();
  });
});
