import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { asked, restartOf } from "../../test/support/approved.ts";
import { createDatabase, type TestDatabase } from "../../test/support/database.ts";
import { insertIncident } from "../../test/support/incident.ts";
import { makePerson, type Person, type SetClock, setClock, TERMS } from "../../test/support/pipeline-deps.ts";
import { verifyChain } from "../audit/index.ts";
import type { Risk } from "../contract/common.ts";
import type { Ctx } from "../db/ctx.ts";
import { transaction } from "../db/transaction.ts";
import { insertDecision } from "../decision/store.ts";
import { resolve } from "../incident/index.ts";
import { type Actor, ROLES, type Role } from "../lib/actor.ts";
import { decisionToken, incidentId } from "../lib/id.ts";
import { approve } from "./approve.ts";
import { expireApproval, supersedeApproval } from "./expire.ts";
import { publishApproval, withdrawApproval } from "./publish-plan.ts";
import { getApproval } from "./read.ts";
import { reject } from "./reject.ts";
import { requestApproval } from "./request.ts";
import { signaturesOf } from "./store.ts";

let database: TestDatabase;
let clock: SetClock;
const people = {} as Record<"ada" | "bob" | "cyd", Person>;

beforeAll(async () => {
  database = await createDatabase();
  clock = setClock();
  const ctx = database.ctx(undefined, clock);
  people.ada = await makePerson(ctx, "ada", "approver");
  people.bob = await makePerson(ctx, "bob", "approver");
  people.cyd = await makePerson(ctx, "cyd", "admin");
});
afterAll(() => database.drop());
beforeEach(() => {
  clock.forward(10_000);
});

const as = (actor: Actor): Ctx => database.ctx(actor, clock);
const system = (name: "intake" | "pipeline" | "sweep" | "bootstrap") => as({ kind: "system", name });

/** An incident with an approval of this risk, `pending` unless said otherwise. */
async function makeApproval(
  risk: Risk,
  more: { preparing?: boolean; requested_by?: string } = {},
): Promise<{ approval_id: string; plan_hash: string; incident_id: string }> {
  return transaction(system("intake"), async (tx) => {
    const now = tx.clock.now();
    const incident = await insertIncident(tx, {
      incident_id: incidentId(now, tx.random),
      fingerprint: randomUUID(),
      title: "web is down",
      status: "investigating",
      severity: "P1",
      alert_category: "general",
      notification_type: "TYPE-3",
      affected_services: ["web"],
      hit_count: 1,
      first_seen: now,
      last_seen: now,
      created_at: now,
      updated_at: now,
    });
    const { incident_id } = incident;
    const decision = {
      token: decisionToken(tx.random),
      incident_id,
      state: "analyzing" as const,
      source: more.requested_by ?? "expert_system",
      rule_id: "test",
      summary: "restart",
      confidence: 0,
      proposal: {
        action: "Restart process web",
        operation: {
          kind: "process.restart" as const,
          target: { kind: "process" as const, name: "web" },
          parameters: {},
        },
        description: "restart it",
        risk_level: risk,
        reasoning: "it is down",
      },
      policy: { outcome: "ask" as const, rule: "suggest", reason: "people decide" },
      created_at: now,
      ready_at: null,
      valid_until: now,
    };
    await insertDecision(tx, decision);
    const made = await requestApproval(tx, { incident, decision }, TERMS);
    if (more.preparing !== true) {
      const pipeline = { ...tx, actor: { kind: "system" as const, name: "pipeline" as const } };
      await publishApproval(pipeline, { approval_id: made.approval_id, checks: [] }, TERMS);
    }
    return { ...made, incident_id };
  });
}

const sign = (actor: Actor, { approval_id, plan_hash }: { approval_id: string; plan_hash: string }) =>
  approve(as(actor), { approval_id, plan_hash }, TERMS);
const statusOf = async (approval_id: string) => (await getApproval(as(people.cyd), approval_id)).status;
const code = (expected: string) => expect.objectContaining({ name: "AwoooiError", code: expected });
const codesOf = (settled: PromiseSettledResult<unknown>[]) =>
  settled.map((one) => (one.status === "rejected" ? (one.reason.code ?? String(one.reason)) : "ok")).sort();

async function rows<T = Record<string, unknown>>(text: string, values: unknown[] = []): Promise<T[]> {
  return (await database.pool.query(text, values)).rows as T[];
}
const executeWork = (approval_id: string) =>
  rows("select workflow_uuid from dbos.workflow_status where name = 'execute' and workflow_uuid = $1", [
    `execute:${approval_id}`,
  ]);
const auditOf = async (subject: string) =>
  (
    await rows<{ action: string }>("select action from audit_entries where subject = $1 order by seq", [
      subject,
    ])
  ).map((row) => row.action);
const counts = async () =>
  rows(`select (select count(*) from audit_entries) audit, (select count(*) from timeline) timeline,
               (select count(*) from outbox) outbox, (select count(*) from signatures) signatures,
               (select count(*) from dbos.workflow_status) work`);

describe("what was found out about a plan", () => {
  it("is of no use for another plan that has taken its place: that one was not tried", async () => {
    const made = await asked(database, clock);
    const other = restartOf("another");
    const found = { checks: [], diff: "a → b", operations: [other], plan_hash: "0".repeat(64) };
    const pipeline = database.ctx({ kind: "system", name: "pipeline" }, clock);
    await publishApproval(pipeline, { approval_id: made.approval_id, ...found }, TERMS);
    expect(await getApproval(pipeline, made.approval_id)).toMatchObject({
      status: "pending",
      plan_hash: made.plan_hash,
      diff: null,
      dry_run_checks: [{ name: "dry-run", passed: false }],
      plan: { operation: made.operation },
    });
  });

  it("keeps what the systems say of its targets by itself, whatever alerts call the services", async () => {
    const made = await makeApproval("medium", { preparing: true });
    const { blast_radius: before } = await getApproval(as(people.ada), made.approval_id);
    const [service = ""] = before.related_services;
    expect(service).not.toBe("");
    expect(before.belongs_to).toEqual([]);
    const pipeline = database.ctx({ kind: "system", name: "pipeline" }, clock);
    const belongs_to = [service, "prod/ledger"];
    await publishApproval(pipeline, { approval_id: made.approval_id, checks: [], belongs_to }, TERMS);
    const { blast_radius } = await getApproval(as(people.ada), made.approval_id);
    expect(blast_radius).toMatchObject({
      belongs_to,
      related_services: [...before.related_services, "prod/ledger"],
    });
  });
});

describe("approving", () => {
  it("is complete with one signature for low and medium risk, and then enqueues its execution once", async () => {
    for (const risk of ["low", "medium"] as const) {
      const made = await makeApproval(risk);
      const approval = await sign(people.ada, made);
      expect(approval.status).toBe("approved");
      expect(approval.decided_at).toEqual(clock.now());
      expect(approval.authority_until!.getTime()).toBe(clock.now().getTime() + TERMS.authority * 1000);
      expect(await executeWork(made.approval_id)).toHaveLength(1);
      expect(await auditOf(made.approval_id)).toEqual([
        "approval.requested",
        "approval.presented",
        "approval.signed",
        "approval.approved",
      ]);
    }
  });

  it("waits for a second person for high and critical risk", async () => {
    for (const risk of ["high", "critical"] as const) {
      const made = await makeApproval(risk);
      expect((await sign(people.ada, made)).status).toBe("pending");
      expect(await executeWork(made.approval_id)).toHaveLength(0);
      clock.forward(5);
      expect((await sign(people.bob, made)).status).toBe("approved");
      expect(await executeWork(made.approval_id)).toHaveLength(1);
      const signatures = (await signaturesOf(system("pipeline"), [made.approval_id])).get(made.approval_id);
      expect(signatures?.map((one) => one.person_name)).toEqual(["ada", "bob"]);
    }
  });

  it("has exactly one outcome when two people sign at once, each sufficient alone", async () => {
    for (let round = 0; round < 5; round += 1) {
      const made = await makeApproval("medium");
      const settled = await Promise.allSettled([sign(people.ada, made), sign(people.bob, made)]);
      expect(codesOf(settled)).toEqual(["already_decided", "ok"]);
      expect(await executeWork(made.approval_id)).toHaveLength(1);
      expect(await rows("select 1 from signatures where approval_id = $1", [made.approval_id])).toHaveLength(
        1,
      );
    }
  });

  it("is met exactly once when the two people that it takes sign at once", async () => {
    for (let round = 0; round < 5; round += 1) {
      const made = await makeApproval("critical");
      const settled = await Promise.all([sign(people.ada, made), sign(people.bob, made)]);
      expect(settled.map((one) => one.status).sort()).toEqual(["approved", "pending"]);
      expect(await executeWork(made.approval_id)).toHaveLength(1);
      expect((await auditOf(made.approval_id)).filter((one) => one === "approval.approved")).toHaveLength(1);
    }
  });

  it("has one outcome when one approves while another rejects", async () => {
    for (let round = 0; round < 5; round += 1) {
      const made = await makeApproval("medium");
      const { approval_id } = made;
      const settled = await Promise.allSettled([
        sign(people.ada, made),
        reject(as(people.bob), { approval_id, reason: "no" }),
      ]);
      expect(codesOf(settled)).toEqual(["already_decided", "ok"]);
      const status = await statusOf(approval_id);
      expect(["approved", "rejected"]).toContain(status);
      expect(await executeWork(approval_id)).toHaveLength(status === "approved" ? 1 : 0);
    }
  });

  it("is never met by one person: twice, at once, with two tokens, or with two roles", async () => {
    const made = await makeApproval("critical");
    await sign(people.ada, made);
    await expect(sign(people.ada, made)).rejects.toThrow(code("already_signed"));
    await expect(sign({ ...people.ada, token_id: "TOK-OTHER" }, made)).rejects.toThrow(
      code("already_signed"),
    );
    await expect(sign({ ...people.ada, role: "admin" }, made)).rejects.toThrow(code("already_signed"));
    const renamed = { ...people.ada, name: "Ada L." };
    await expect(sign(renamed, made)).rejects.toThrow(code("already_signed"));
    expect(await statusOf(made.approval_id)).toBe("pending");
    expect(await executeWork(made.approval_id)).toHaveLength(0);

    const other = await makeApproval("critical");
    const settled = await Promise.allSettled(
      ["T1", "T2", "T3"].map((token_id) => sign({ ...people.ada, token_id }, other)),
    );
    expect(codesOf(settled)).toEqual(["already_signed", "already_signed", "ok"]);
    expect(await executeWork(other.approval_id)).toHaveLength(0);
  });

  it("refuses a hash that is not the plan's, and leaves nothing behind", async () => {
    const made = await makeApproval("medium");
    const other = await makeApproval("medium");
    const before = await counts();
    for (const plan_hash of [other.plan_hash, "0".repeat(64), ""]) {
      await expect(sign(people.ada, { ...made, plan_hash })).rejects.toThrow(code("plan_changed"));
    }
    expect(await counts()).toEqual(before);
  });

  it("does not count a signature of the plan that was there before", async () => {
    const made = await makeApproval("critical");
    await sign(people.ada, made);
    const plan_hash = "c".repeat(64);
    await rows("update approvals set plan_hash = $2 where approval_id = $1", [made.approval_id, plan_hash]);
    await expect(sign(people.bob, made)).rejects.toThrow(code("plan_changed"));
    expect((await sign(people.bob, { ...made, plan_hash })).status).toBe("pending");
    expect(await executeWork(made.approval_id)).toHaveLength(0);
  });

  it("refuses what is not pending, and says why", async () => {
    const preparing = await makeApproval("medium", { preparing: true });
    await expect(sign(people.ada, preparing)).rejects.toThrow(code("not_ready"));

    const rejected = await makeApproval("medium");
    await reject(as(people.bob), { approval_id: rejected.approval_id, reason: "not now" });
    await expect(sign(people.ada, rejected)).rejects.toThrow(code("already_decided"));

    const superseded = await makeApproval("medium");
    await supersedeApproval(system("pipeline"), superseded.incident_id, "over");
    await expect(sign(people.ada, superseded)).rejects.toThrow(code("already_decided"));

    const withdrawn = await makeApproval("medium", { preparing: true });
    await withdrawApproval(system("pipeline"), { approval_id: withdrawn.approval_id, reason: "no target" });
    await expect(sign(people.ada, withdrawn)).rejects.toThrow(code("already_decided"));

    const unknown = { approval_id: "APR-NONE", plan_hash: rejected.plan_hash };
    await expect(sign(people.ada, unknown)).rejects.toThrow(code("not_found"));
    for (const one of [preparing, rejected, superseded, withdrawn]) {
      expect(await executeWork(one.approval_id)).toHaveLength(0);
    }
  });

  it("refuses from the moment of expiry on, whether or not the sweep has been there", async () => {
    const made = await makeApproval("medium");
    clock.forward(TERMS.expires_after - 0.001);
    const last = await makeApproval("medium");
    clock.forward(0.001);
    await expect(sign(people.ada, made)).rejects.toThrow(code("expired"));
    await expect(reject(as(people.ada), { approval_id: made.approval_id, reason: "late" })).rejects.toThrow(
      code("expired"),
    );
    expect((await sign(people.ada, last)).status).toBe("approved");
    await expireApproval(system("sweep"), made.approval_id);
    expect(await statusOf(made.approval_id)).toBe("expired");
    await expect(sign(people.ada, made)).rejects.toThrow(code("expired"));
  });

  it("refuses when the incident is over", async () => {
    const made = await makeApproval("medium");
    await resolve(as(people.bob), { incident_id: made.incident_id });
    await expect(sign(people.ada, made)).rejects.toThrow(code("already_decided"));
    expect(await executeWork(made.approval_id)).toHaveLength(0);
  });

  it.each(
    ROLES.flatMap((role) => (["low", "medium", "high", "critical"] as const).map((risk) => [role, risk])),
  )("lets a %s sign %s risk only if the role may", async (role, risk) => {
    const may: Record<Role, Risk[]> = {
      viewer: [],
      responder: ["low"],
      approver: ["low", "medium", "high", "critical"],
      admin: ["low", "medium", "high", "critical"],
    };
    const made = await makeApproval(risk as Risk);
    const actor = { ...people.cyd, role: role as Role };
    const before = await counts();
    if (may[role as Role].includes(risk as Risk)) {
      const complete = TERMS.required_signatures[risk as Risk] === 1;
      expect((await sign(actor, made)).status).toBe(complete ? "approved" : "pending");
      return;
    }
    await expect(sign(actor, made)).rejects.toThrow(code("forbidden"));
    const { approval_id } = made;
    await expect(reject(as(actor), { approval_id, reason: "no" })).rejects.toThrow(code("forbidden"));
    expect(await counts()).toEqual(before);
  });

  it("admits people only: no sender and no part of the system signs or rejects", async () => {
    const made = await makeApproval("low");
    const others: Actor[] = [
      { kind: "sender", name: "alertmanager" },
      ...(["intake", "pipeline", "sweep", "bootstrap"] as const).map((name) => ({
        kind: "system" as const,
        name,
      })),
    ];
    for (const actor of others) {
      await expect(sign(actor, made)).rejects.toThrow(code("forbidden"));
      await expect(reject(as(actor), { approval_id: made.approval_id, reason: "no" })).rejects.toThrow(
        code("forbidden"),
      );
    }
    expect(await statusOf(made.approval_id)).toBe("pending");
  });

  it("does not take the requester's own signature for critical risk, but for lower ones", async () => {
    const critical = await makeApproval("critical", { requested_by: "ada" });
    await expect(sign(people.ada, critical)).rejects.toThrow(code("forbidden"));
    await sign(people.bob, critical);
    expect((await sign(people.cyd, critical)).status).toBe("approved");
    const high = await makeApproval("high", { requested_by: "ada" });
    expect((await sign(people.ada, high)).status).toBe("pending");
  });

  it("leaves nothing when its transaction fails: no signature, audit, story, notice or work", async () => {
    const made = await makeApproval("medium");
    const before = await counts();
    await expect(
      transaction(as(people.ada), async (tx) => {
        expect((await approve(tx, made, TERMS)).status).toBe("approved");
        throw new Error("the power went");
      }),
    ).rejects.toThrow("the power went");
    expect(await counts()).toEqual(before);
    expect(await statusOf(made.approval_id)).toBe("pending");
    expect(await executeWork(made.approval_id)).toHaveLength(0);
    expect(await auditOf(made.approval_id)).toEqual(["approval.requested", "approval.presented"]);
    expect((await sign(people.ada, made)).status).toBe("approved");
  });

  it("fails whole when the last write of it fails", async () => {
    const made = await makeApproval("medium");
    await rows(`create function refuse_approved() returns trigger language plpgsql as
                $$ begin raise exception 'no disk'; end $$`);
    await rows(`create trigger refuse_approved before update on approvals for each row
                when (new.status = 'approved') execute function refuse_approved()`);
    const before = await counts();
    await expect(sign(people.ada, made)).rejects.toThrow();
    expect(await counts()).toEqual(before);
    expect(await statusOf(made.approval_id)).toBe("pending");
    await rows("drop trigger refuse_approved on approvals");
    expect((await sign(people.ada, made)).status).toBe("approved");
  });
});

describe("rejecting", () => {
  it("keeps the reason, tells people once, and is final", async () => {
    const { approval_id, incident_id } = await makeApproval("high");
    const rejected = await reject(as(people.ada), { approval_id, reason: "it is a deploy" });
    expect(rejected).toMatchObject({ status: "rejected", reject_reason: "it is a deploy" });
    await expect(reject(as(people.bob), { approval_id, reason: "again" })).rejects.toThrow(
      code("already_decided"),
    );
    expect(await auditOf(approval_id)).toContain("approval.rejected");
    const told = await rows(
      "select payload from outbox where incident_id = $1 and topic = 'approval.rejected'",
      [incident_id],
    );
    expect(told).toEqual([{ payload: { approval_id, reason: "it is a deploy" } }]);
  });
});

describe("expiring", () => {
  it("ends what is due and nothing else, once", async () => {
    const pending = await makeApproval("medium");
    const signed = await makeApproval("medium");
    await sign(people.ada, signed);
    await expireApproval(system("sweep"), pending.approval_id);
    await expireApproval(system("sweep"), signed.approval_id);
    expect(await statusOf(pending.approval_id)).toBe("pending");
    expect(await statusOf(signed.approval_id)).toBe("approved");

    clock.forward(TERMS.authority);
    await expireApproval(system("sweep"), signed.approval_id);
    expect(await statusOf(signed.approval_id)).toBe("expired");
    clock.forward(TERMS.expires_after);
    await Promise.all([1, 2, 3].map(() => expireApproval(system("sweep"), pending.approval_id)));
    expect(await statusOf(pending.approval_id)).toBe("expired");
    expect((await auditOf(pending.approval_id)).filter((one) => one === "approval.expired")).toHaveLength(1);
  });

  it("leaves rejected and superseded ones as they are", async () => {
    const one = await makeApproval("medium");
    await reject(as(people.ada), { approval_id: one.approval_id, reason: "no" });
    clock.forward(TERMS.expires_after * 2);
    await expireApproval(system("sweep"), one.approval_id);
    expect(await statusOf(one.approval_id)).toBe("rejected");
  });

  it("is the sweep's alone", async () => {
    const { approval_id, incident_id } = await makeApproval("medium");
    for (const ctx of [as(people.cyd), system("pipeline"), as({ kind: "sender", name: "x" })]) {
      await expect(expireApproval(ctx, approval_id)).rejects.toThrow(code("forbidden"));
    }
    await expect(supersedeApproval(as(people.cyd), incident_id, "x")).rejects.toThrow(code("forbidden"));
  });
});

describe("superseding", () => {
  it("ends what is open, with its story and its decision's, and asks under the lock whether it may", async () => {
    for (const preparing of [true, false]) {
      const { approval_id, incident_id } = await makeApproval("medium", { preparing });
      await supersedeApproval(system("pipeline"), incident_id, "over", async () => true);
      expect(await statusOf(approval_id)).toBe(preparing ? "preparing" : "pending");
      await supersedeApproval(system("pipeline"), incident_id, "over");
      await supersedeApproval(system("pipeline"), incident_id, "over");
      expect(await statusOf(approval_id)).toBe("superseded");
      expect((await auditOf(approval_id)).filter((one) => one === "approval.superseded")).toHaveLength(1);
      expect(await rows("select state from decisions where incident_id = $1", [incident_id])).toEqual([
        { state: "ready" },
      ]);
    }
  });
});

describe("presenting", () => {
  it("puts a plan before people once, with the evidence of whoever was first", async () => {
    const { approval_id, incident_id } = await makeApproval("medium", { preparing: true });
    const checks = [{ name: "dry-run", passed: true, message: "fine" }];
    await Promise.all([
      publishApproval(system("pipeline"), { approval_id, checks }, TERMS),
      publishApproval(system("sweep"), { approval_id, checks }, TERMS),
    ]);
    expect(await getApproval(as(people.cyd), approval_id)).toMatchObject({
      status: "pending",
      dry_run_checks: checks,
    });
    const told = await rows("select 1 from outbox where incident_id = $1 and topic = 'approval.pending'", [
      incident_id,
    ]);
    expect(told).toHaveLength(1);
  });

  it("does not present for an incident that is over", async () => {
    const { approval_id, incident_id } = await makeApproval("medium", { preparing: true });
    await resolve(as(people.bob), { incident_id });
    await publishApproval(system("pipeline"), { approval_id, checks: [] }, TERMS);
    expect(await statusOf(approval_id)).toBe("superseded");
    expect(await auditOf(approval_id)).toEqual(["approval.requested", "approval.superseded"]);
    expect(await rows("select state from decisions where incident_id = $1", [incident_id])).toEqual([
      { state: "ready" },
    ]);
  });
});

describe("the ledger", () => {
  it("holds together after all of this", async () => {
    expect(await verifyChain(system("pipeline"))).toMatchObject({ broken_at: null });
  });
});
