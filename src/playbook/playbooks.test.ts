import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createDatabase, type TestDatabase } from "../../test/support/database.ts";
import { makePerson, type Person, setClock } from "../../test/support/pipeline-deps.ts";
import { transaction } from "../db/transaction.ts";
import type { Actor, Role } from "../lib/actor.ts";
import { AwoooiError } from "../lib/error.ts";
import { approvePlaybook } from "./approve.ts";
import { deprecatePlaybook } from "./deprecate.ts";
import { parsePlaybooks, writePlaybooks } from "./document.ts";
import { hashOf } from "./hash.ts";
import { importPlaybooks } from "./import.ts";
import { getPlaybook, listPlaybooks, matchPlaybook, presentPlaybook } from "./read.ts";
import { recordRun, recordRunNotHeld } from "./record-run.ts";

const SHOP = `
playbooks:
  - name: shop-hangs
    description: The shop hangs after a full disk.
    pattern:
      alert_names: [ShopDown]
      services: [shop]
      severities: [P2, P3]
    steps:
      - operation: host.docker_prune
        target: { kind: host, name: web-1 }
        parameters: { what: image, all_images: false }
      - operation: process.restart
        target: "{target}"
        risk: high
`;
const named = (name: string, steps = "[{ operation: process.restart }]") =>
  parsePlaybooks(`playbooks: [{ name: ${name}, pattern: { alert_names: [A] }, steps: ${steps} }]`);

let database: TestDatabase;
const clock = setClock();
const people = {} as Record<Role, Person>;

beforeAll(async () => {
  database = await createDatabase();
  for (const role of ["viewer", "responder", "approver", "admin"] as const)
    people[role] = await makePerson(database.ctx(undefined, clock), role, role);
});
afterAll(() => database.drop());

const as = (role: Role) => database.ctx(people[role], clock);
const system = (name: Extract<Actor, { kind: "system" }>["name"]) =>
  database.ctx({ kind: "system", name }, clock);
const audited = async (subject: string) => {
  const { rows } = await database.pool.query(
    "select action from audit_entries where subject = $1 order by seq",
    [subject],
  );
  return rows.map((row) => row.action);
};
function errorsOf(work: () => unknown): AwoooiError["errors"] {
  try {
    work();
  } catch (error) {
    if (error instanceof AwoooiError) return error.errors;
  }
  throw new Error("nothing is wrong");
}

describe("an approved playbook", () => {
  it("is changed by nobody less than an approver, and what its old form did is not counted for it", async () => {
    const name = "guarded";
    const brought = async (role: Role, written: ReturnType<typeof named>) =>
      (await importPlaybooks(as(role), written))[0]!.playbook;
    const first = await brought("responder", named(name));
    await approvePlaybook(as("approver"), { playbook_id: first.playbook_id });
    const other = named(name, "[{ operation: process.restart }, { operation: process.restart }]");
    await expect(brought("responder", other)).rejects.toMatchObject({ code: "forbidden" });
    const changed = await brought("approver", other);
    expect(changed).toMatchObject({ playbook_id: first.playbook_id, status: "draft" });
    const { playbook_id } = first;
    const run = { playbook_id, playbook_hash: hashOf(first), success: true, execution_id: "EXE-1" };
    const count = (one: typeof run) => transaction(system("pipeline"), (tx) => recordRun(tx, one));
    await count(run);
    expect(await getPlaybook(as("viewer"), playbook_id)).toMatchObject({ runs: 0, trust: 0 });
    await count({ ...run, playbook_hash: hashOf(changed) });
    expect(await getPlaybook(as("viewer"), playbook_id)).toMatchObject({ runs: 1 });
    await deprecatePlaybook(as("admin"), playbook_id);
  });
});

describe("a file of playbooks", () => {
  it("is read with what it leaves open, and written again as it is", () => {
    const [one] = parsePlaybooks(SHOP);
    expect(one).toMatchObject({
      name: "shop-hangs",
      steps: [
        { order: 1, operation: "host.docker_prune", risk: "high" },
        { order: 2, operation: "process.restart", target: "{target}", parameters: {}, risk: "high" },
      ],
    });
    expect(parsePlaybooks(writePlaybooks([one as never]))).toEqual([one]);
  });

  it("tells everything that is wrong with it, and where", () => {
    const wrong = `
playbooks:
  - name: Shop
    pattern: { alert_names: [], severities: [P9] }
    steps:
      - operation: kubernetes.scale_out
        parameters: { at_least: 0 }
      - operation: kubernetes.get
      - operation: kubernetes.rollout_undo
        target: { kind: node, name: n1 }
        risk: low
  - name: twice
    pattern: { alert_names: [A] }
    steps: [{ operation: process.restart, shell: "rm -rf /" }]
`;
    expect(errorsOf(() => parsePlaybooks(wrong)).map((one) => one.path)).toEqual(
      expect.arrayContaining([
        "playbooks.0.name",
        "playbooks.0.pattern.alert_names",
        "playbooks.0.pattern.severities.0",
        "playbooks.0.steps.0.parameters.at_least",
        "playbooks.0.steps.1.operation",
        "playbooks.0.steps.2.target.kind",
        "playbooks.0.steps.2.risk",
        "playbooks.1.steps.0",
      ]),
    );
  });

  it.each([
    ["no YAML", "playbooks: ["],
    ["an alias", "playbooks: &a [*a]"],
    ["an alias of a step", "playbooks: [{ name: a, pattern: &p { alert_names: [A] }, steps: *p }]"],
    ["nothing", ""],
    ["one name twice", SHOP + SHOP.replace("\nplaybooks:\n", "")],
  ])("is refused for %s", (_what, yaml) => {
    expect(errorsOf(() => parsePlaybooks(yaml)).length).toBeGreaterThan(0);
  });
});

describe("importing", () => {
  it("makes a draft, and changes nothing the next time", async () => {
    const [first] = await importPlaybooks(as("responder"), parsePlaybooks(SHOP));
    expect(first).toMatchObject({ result: "created", playbook: { status: "draft", runs: 0, trust: 0 } });
    const [again] = await importPlaybooks(as("responder"), parsePlaybooks(SHOP));
    expect(again).toEqual({ ...first, result: "unchanged" });
    expect(await audited(first!.playbook.playbook_id)).toEqual(["playbook.imported"]);
  });

  it("takes approval, counts and trust from one that does something else now", async () => {
    const [made] = await importPlaybooks(as("responder"), named("changes"));
    const { playbook_id } = made!.playbook;
    await approvePlaybook(as("approver"), { playbook_id });
    await transaction(system("pipeline"), (tx) =>
      recordRun(tx, { playbook_id, success: true, execution_id: "EXE-1" }),
    );
    const words = named("changes").map((one) => ({ ...one, description: "in other words" }));
    const [reworded] = await importPlaybooks(as("approver"), words);
    expect(reworded).toMatchObject({ result: "changed", playbook: { status: "approved", runs: 1 } });
    const steps = "[{ operation: process.restart, risk: high }]";
    const [changed] = await importPlaybooks(as("approver"), named("changes", steps));
    expect(changed).toMatchObject({
      result: "changed",
      playbook: { status: "draft", approved_by: null, runs: 0, successes: 0, trust: 0 },
    });
  });

  it("of one name at the same moment makes one", async () => {
    const results = await Promise.all(
      Array.from({ length: 5 }, () => importPlaybooks(as("responder"), named("raced"))),
    );
    expect(results.flat().filter((one) => one.result === "created")).toHaveLength(1);
  });

  it("brings in all or nothing", async () => {
    const failing = transaction(as("responder"), async (tx) => {
      await importPlaybooks(tx, named("half"));
      throw new Error("broken");
    });
    await expect(failing).rejects.toThrow("broken");
    const { rows } = await listPlaybooks(as("viewer"), { limit: 200 });
    expect(rows.map((one) => one.name)).not.toContain("half");
  });
});

describe("a playbook's status", () => {
  it("is given by approvers, for what they have read", async () => {
    const [made] = await importPlaybooks(as("responder"), named("read"));
    const { playbook_id } = made!.playbook;
    const { hash } = presentPlaybook(made!.playbook);
    await importPlaybooks(as("responder"), named("read", "[{ operation: process.restart, risk: high }]"));
    await expect(approvePlaybook(as("approver"), { playbook_id, hash })).rejects.toMatchObject({
      code: "plan_changed",
    });
    const now = presentPlaybook(await getPlaybook(as("viewer"), playbook_id));
    const approved = await approvePlaybook(as("approver"), { playbook_id, hash: now.hash });
    expect(approved).toMatchObject({ status: "approved", approved_by: "approver" });
    await approvePlaybook(as("admin"), { playbook_id });
    expect(await deprecatePlaybook(as("approver"), playbook_id)).toMatchObject({ status: "deprecated" });
    expect(await audited(playbook_id)).toEqual([
      "playbook.imported",
      "playbook.imported",
      "playbook.approved",
      "playbook.deprecated",
    ]);
  });

  it("decides whether it answers", async () => {
    const [made] = await importPlaybooks(as("responder"), named("answers"));
    const { playbook_id } = made!.playbook;
    const about = {
      alert_names: ["A"],
      services: [],
      severity: "P2" as const,
      target: { kind: "process", name: "shop" },
    };
    const terms = { similarity: 0.85, success_rate: 0.8 };
    const found = async () => (await matchPlaybook(system("intake"), about, terms))?.playbook.playbook_id;
    expect(await found()).not.toBe(playbook_id);
    await transaction(as("admin"), async (tx) => {
      await approvePlaybook(tx, { playbook_id });
    });
    expect(await found()).toBe(playbook_id);
    await deprecatePlaybook(as("admin"), playbook_id);
    expect(await found()).not.toBe(playbook_id);
  });
});

describe("a playbook's counts", () => {
  it("follow what its runs came to", async () => {
    const [made] = await importPlaybooks(as("responder"), named("counted"));
    const { playbook_id } = made!.playbook;
    const run = (success: boolean) =>
      transaction(system("pipeline"), (tx) => recordRun(tx, { playbook_id, success, execution_id: "EXE-1" }));
    await Promise.all([run(true), run(true), run(true)]);
    expect(await getPlaybook(as("viewer"), playbook_id)).toMatchObject({
      runs: 3,
      successes: 3,
      failures: 0,
    });
    await transaction(system("intake"), (tx) => recordRunNotHeld(tx, { playbook_id, execution_id: "EXE-1" }));
    expect(await getPlaybook(as("viewer"), playbook_id)).toMatchObject({
      runs: 3,
      successes: 2,
      failures: 1,
      trust: 0,
    });
    await run(false);
    expect(presentPlaybook(await getPlaybook(as("viewer"), playbook_id))).toMatchObject({
      runs: 4,
      success_rate: 0.5,
    });
  });
});

describe("who may", () => {
  const anyone: [string, Actor][] = [
    ["a sender", { kind: "sender", name: "alertmanager" }],
    ["the retention", { kind: "system", name: "retention" }],
  ];
  it.each(anyone)("%s may do nothing of it", async (_who, actor) => {
    const ctx = database.ctx(actor, clock);
    const forbidden = { code: "forbidden" };
    await expect(importPlaybooks(ctx, named("theirs"))).rejects.toMatchObject(forbidden);
    await expect(approvePlaybook(ctx, { playbook_id: "PBK-1" })).rejects.toMatchObject(forbidden);
    await expect(deprecatePlaybook(ctx, "PBK-1")).rejects.toMatchObject(forbidden);
    await expect(getPlaybook(ctx, "PBK-1")).rejects.toMatchObject(forbidden);
    await expect(listPlaybooks(ctx, { limit: 1 })).rejects.toMatchObject(forbidden);
    const run = { playbook_id: "PBK-1", success: true, execution_id: "EXE-1" };
    await expect(recordRun(ctx, run)).rejects.toMatchObject(forbidden);
  });

  it("viewers read, responders import, approvers approve", async () => {
    const forbidden = { code: "forbidden" };
    await expect(importPlaybooks(as("viewer"), named("theirs"))).rejects.toMatchObject(forbidden);
    await expect(approvePlaybook(as("responder"), { playbook_id: "PBK-1" })).rejects.toMatchObject(forbidden);
    await expect(approvePlaybook(as("approver"), { playbook_id: "PBK-1" })).rejects.toMatchObject({
      code: "not_found",
    });
  });
});
