import fc from "fast-check";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { createDatabase, type TestDatabase } from "../../test/support/database.ts";
import { GATEWAY, makePerson } from "../../test/support/pipeline-deps.ts";
import { SEED } from "../../test/support/random.ts";
import {
  candidatesText,
  type Finding,
  type Investigation,
  type TargetCandidate,
} from "../contract/evidence.ts";
import type { OperationTarget } from "../contract/incident.ts";
import type { Ctx } from "../db/ctx.ts";
import { authoriseObservation } from "../execution/index.ts";
import { diagnose, investigate, joinParts } from "./investigate.ts";
import type { Investigator } from "./types.ts";

type Part = Investigation;

const TARGET = { kind: "deployment", name: "api", namespace: "prod" };
const AT = "2026-07-01T12:00:00.000Z";

const item = (id: string, text = `fact ${id}`) => ({ id, source: "test", at: AT, subject: "pod/a", text });
const finding = (code: string, weight: Finding["weight"], ...evidence: string[]): Finding => ({
  code,
  weight,
  title: `There is ${code}`,
  meaning: "Look at it.",
  evidence,
});
const part = (values: Partial<Investigation> = {}): Investigation => ({
  at: AT,
  target: TARGET,
  evidence: [],
  findings: [],
  missing: [],
  ...values,
});
const investigator = (id: string, work: Investigator["investigate"], kind = "deployment"): Investigator => ({
  id,
  investigates: (target) => target.kind === kind,
  investigate: work,
});

let database: TestDatabase;
let ada: Ctx;
let gateway = GATEWAY;
/** As the app binds it. */
const refusal = (tool?: string) => authoriseObservation(gateway, { caller: "planner", tool });

beforeAll(async () => {
  database = await createDatabase();
  ada = database.ctx(await makePerson(database.ctx(), "ada", "viewer"));
});
afterEach(() => {
  gateway = GATEWAY;
});
afterAll(() => database.drop());

const pipeline = () => database.ctx({ kind: "system", name: "pipeline" });
const look = (list: Investigator[], time = 5, target: OperationTarget = TARGET) =>
  investigate(pipeline(), { incident_id: "INC-1", target }, list, { time, refusal });

describe("investigate", () => {
  it("joins what all of them found, causes first, with ids that are unique in the whole", async () => {
    const one = part({ evidence: [item("E1"), item("E2")], findings: [finding("late", "symptom", "E2")] });
    const other = part({ evidence: [item("E1", "other")], findings: [finding("why", "cause", "E1")] });
    const found = await look([investigator("a", async () => one), investigator("b", async () => other)]);
    expect(found.evidence.map(({ id, text }) => [id, text])).toEqual([
      ["E1", "fact E1"],
      ["E2", "fact E2"],
      ["E3", "other"],
    ]);
    expect(found.findings.map(({ code, evidence }) => [code, evidence])).toEqual([
      ["why", ["E3"]],
      ["late", ["E2"]],
    ]);
    expect(found).toMatchObject({ target: TARGET, missing: [] });
  });

  it("says of one that fails, answers nonsense or is late what became of it, and keeps the rest", async () => {
    const found = await look(
      [
        investigator("works", async () => part({ evidence: [item("E1")] })),
        investigator("throws", () => {
          throw new Error("no route, token=abcdefgh12345");
        }),
        investigator("nonsense", async () => ({ target: null }) as never),
        investigator("late", () => new Promise(() => {})),
        investigator("elsewhere", async () => part({ missing: ["asked all the same"] }), "host"),
      ],
      0.05,
    );
    expect(found.evidence).toHaveLength(1);
    expect(found.missing).toEqual([
      "throws: no route, token=[redacted]",
      expect.stringMatching(/^nonsense: /),
      expect.stringMatching(/^late: .*timed out/),
    ]);
    expect(found.target).toEqual(TARGET);
  });

  it("tells each when its time is over, so that it comes back with what it has", async () => {
    const patient = investigator("patient", (_target, _now, signal) => {
      const { promise, resolve } = Promise.withResolvers<Investigation>();
      signal.addEventListener("abort", () => resolve(part({ missing: ["pods: no time left"] })));
      return promise;
    });
    expect((await look([patient], 0.05)).missing).toEqual(["pods: no time left"]);
  });

  it("leaves no credential in what it hands on", async () => {
    const secret = part({ evidence: [item("E1", "Authorization: Bearer abcdef0123456789")] });
    const found = await look([investigator("a", async () => secret)]);
    expect(JSON.stringify(found)).not.toContain("abcdef0123456789");
  });

  it("says where nothing can look", async () => {
    const found = await look([], 5, { kind: "host", name: "web-1" });
    expect(found).toMatchObject({ evidence: [], missing: ["no configured investigator can inspect a host"] });
  });

  it.each([
    ["with a disabled tool", { disabled_tools: ["ssh_diagnose"] }, 2, "tool_disabled", ["free"]],
    ["at all where that is disabled", { disabled_tools: ["investigate"] }, 2, "tool_disabled", []],
    ["without the scope to read", { grants: { ...GATEWAY.grants, planner: [] } }, 3, "scope_not_granted", []],
  ] as const)("does not look %s, and says so", async (_what, settings, gate, code, left) => {
    const asked: string[] = [];
    const seeing = (id: string, tool?: string): Investigator => ({
      ...investigator(id, async () => {
        asked.push(id);
        return part({ evidence: [item("E1")] });
      }),
      ...(tool && { tool }),
    });
    const list = [seeing("ssh", "ssh_diagnose"), seeing("free")];
    expect((await look(list)).missing).toEqual([]);
    asked.length = 0;
    gateway = { ...GATEWAY, ...settings };
    const found = await look(list);
    expect(asked).toEqual(left);
    expect(found.target).toEqual(TARGET);
    expect(found.missing).toHaveLength(2 - left.length);
    for (const line of found.missing)
      expect(line).toMatch(new RegExp(`reading it was refused \\(Gate ${gate}: `));
    const { rows } = await database.pool.query(
      "select data from audit_entries where action = 'gateway.call' order by seq desc limit 1",
    );
    expect(rows[0].data.investigators).toEqual(left);
    expect(rows[0].data.refused).toContainEqual({ investigator: "ssh", gate, code });
  });

  it("is written into the ledger", async () => {
    await look([investigator("a", async () => part({ target: null }))]);
    const { rows } = await database.pool.query(
      "select subject, data from audit_entries where action = 'gateway.call' order by seq desc limit 1",
    );
    expect(rows[0]).toMatchObject({
      subject: "INC-1",
      data: { tool: "investigate", investigators: ["a"], outcome: "not found" },
    });
  });
});

describe("diagnose", () => {
  const ask = (list: Investigator[]) => diagnose(ada, TARGET, list, { time: 5, refusal });

  it("answers a person", async () => {
    const found = await ask([investigator("a", async () => part({ evidence: [item("E1")] }))]);
    expect(found.evidence).toHaveLength(1);
  });

  it("says what is not there, and what nothing can look at", async () => {
    const gone = investigator("a", async () => part({ target: null, missing: ["close to it: api-v2"] }));
    await expect(ask([gone])).rejects.toMatchObject({
      code: "not_found",
      message: "There is no deployment api. close to it: api-v2.",
    });
    await expect(ask([])).rejects.toMatchObject({ code: "invalid" });
  });

  it("asks which is meant where a cluster has something of a configured name, too", async () => {
    const known = { processes: ["api"] };
    const ours: Investigator = {
      ...investigator("ours", async ({ kind, name }) =>
        part({ target: { kind, name }, evidence: [item("E1")] }),
      ),
      investigates: ({ kind }) => kind === "process",
    };
    const inCluster = (found: Part): Investigator => ({
      ...investigator("cluster", async () => found),
      investigates: ({ kind }) => kind === "unknown",
    });
    const name = async (found: Part) =>
      diagnose(ada, { kind: "unknown", name: "api" }, [ours, inCluster(found)], { time: 5, refusal }, known);
    const both = await name(part({ target: TARGET, evidence: [item("E1")] }));
    expect(both.candidates?.map(({ target }) => target.kind)).toEqual(["process", "deployment"]);
    expect(both.evidence).toEqual([]);
    const alone = await name(part({ target: null, missing: ["cluster a has no workload api"] }));
    expect(alone).toMatchObject({ target: { kind: "process", name: "api" } });
    expect(alone.candidates).toBeUndefined();
  });
});

describe("joining what is not certain", () => {
  const host = { kind: "host", name: "10.0.0.7" };
  const node = (name: string) => ({ target: { kind: "node", name }, reason: "its InternalIP is 10.0.0.7" });
  const open = part({ target: host, candidates: [node("a"), node("b")] });
  const itself = part({ target: host, evidence: [item("E1")] });
  const asNode = part({ target: { kind: "node", name: "a" }, evidence: [item("E1")] });
  const failed = part({ target: host, missing: ["ssh: no route"] });

  it.each<[string, Part[], object]>([
    [
      "keeps what was asked for, with the candidates",
      [open, failed],
      { target: host, candidates: open.candidates },
    ],
    ["takes nobody's word for one of them", [open, asNode], { target: host, candidates: open.candidates }],
    ["is settled by who knows it as what was asked for", [open, itself], { target: host }],
    ["that is the same node to one, and to another itself, is itself", [asNode, itself], { target: host }],
    ["is the node where nobody else knows it", [asNode, failed], { target: asNode.target }],
  ])("%s", (_, parts, expected) => {
    const { target, candidates } = joinParts(parts, "host");
    expect({ target, ...(candidates === undefined ? {} : { candidates }) }).toEqual(expected);
  });

  it("shows ten at most, and hands them on without credentials", async () => {
    const many = Array.from({ length: 10 }, (_, at) => node(`n${at}`));
    expect(joinParts([part({ candidates: many }), part({ candidates: many })]).candidates).toHaveLength(10);
    const reason = "labelled password=hunter2secret";
    const one = part({ candidates: [{ ...node("a"), reason }] });
    const found = await look([investigator("a", async () => one)]);
    expect(found.candidates).toHaveLength(1);
    expect(JSON.stringify(found)).not.toContain("hunter2secret");
  });

  it.each<[TargetCandidate["target"][], string]>([
    [[TARGET, { ...TARGET, namespace: "shop" }], "one with the label `namespace`"],
    [[TARGET, { ...TARGET, cluster: "a" }], "one with the label `cluster`"],
    [[TARGET, { ...TARGET, kind: "job" }], "one with the labels `deployment`, `job_name`"],
    [[TARGET], "it with the labels `deployment`, `namespace`"],
    [
      [
        { kind: "node", name: "a" },
        { kind: "node", name: "b" },
      ],
      "one with the label `node`",
    ],
  ])("says how an alert tells %j: %s", (targets, how) => {
    const said = candidatesText(targets.map((target) => ({ target, reason: "x" })));
    expect(said).toMatch(/^Could be: \w+\/\w+/);
    expect(said?.endsWith(`; name ${how}`)).toBe(true);
  });
});

describe("joining", () => {
  const weight = fc.constantFrom<Finding["weight"]>("cause", "symptom", "note");
  const anyPart = fc
    .record({ count: fc.nat(5), cited: fc.array(fc.tuple(weight, fc.array(fc.nat(7)))) })
    .map(({ count, cited }) =>
      part({
        evidence: Array.from({ length: count }, (_, index) => item(`E${index + 1}`)),
        findings: cited.map(([kind, ids]) => finding("x", kind, ...ids.map((id) => `E${id}`))),
      }),
    );

  it("never cites what is not there, nor nothing", () => {
    fc.assert(
      fc.property(fc.array(anyPart), (parts) => {
        const { evidence, findings } = joinParts(parts);
        const ids = new Set(evidence.map(({ id }) => id));
        expect(ids.size).toBe(evidence.length);
        for (const one of findings) {
          expect(one.evidence.length).toBeGreaterThan(0);
          expect(one.evidence.every((id) => ids.has(id))).toBe(true);
        }
      }),
      { seed: SEED },
    );
  });
});
