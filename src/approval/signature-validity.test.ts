import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { presented } from "../../test/support/approved.ts";
import { createDatabase, type TestDatabase } from "../../test/support/database.ts";
import { makePerson, type Person, type SetClock, setClock, TERMS } from "../../test/support/pipeline-deps.ts";
import { createToken, revokeToken } from "../access/index.ts";
import { approve } from "./approve.ts";
import { getApproval } from "./read.ts";
import { validateSignatures } from "./signature-validity.ts";

let database: TestDatabase;
let clock: SetClock;
let ada: Person;
let cyd: Person;

beforeAll(async () => {
  database = await createDatabase();
  clock = setClock();
  ada = await makePerson(database.ctx(undefined, clock), "ada", "approver");
  cyd = await makePerson(database.ctx(undefined, clock), "cyd", "admin");
});
afterAll(() => database.drop());

const as = (actor: Person) => database.ctx(actor, clock);
const made = () => presented(database, clock, undefined, "high");
const sign = (actor: Person, { approval_id, plan_hash }: { approval_id: string; plan_hash: string }) =>
  approve(as(actor), { approval_id, plan_hash }, TERMS);
const statusOf = async (approval_id: string) => (await getApproval(as(cyd), approval_id)).status;
const code = (expected: string) => expect.objectContaining({ name: "AwoooiError", code: expected });
const rows = async (text: string, values: unknown[]) => (await database.pool.query(text, values)).rows;

describe("a quorum", () => {
  it("is not met by who has left: their signature shows that it does not count, and they may sign anew", async () => {
    const plan = await made();
    const { approval_id } = plan;
    const eve = await makePerson(as(cyd), "eve", "approver");
    const shown = async () =>
      (await validateSignatures(as(cyd), [await getApproval(as(cyd), approval_id)]))
        .get(approval_id)
        ?.map((one) => [one.person_name, one.why_not]);
    await sign(eve, plan);
    expect(await shown()).toEqual([["eve", null]]);
    await expect(sign(eve, plan)).rejects.toThrow(code("already_signed"));
    clock.forward(1);
    await revokeToken(as(cyd), { token_id: eve.token_id });
    await sign(ada, plan);
    expect(await statusOf(approval_id)).toBe("pending");
    expect(await shown()).toEqual([
      ["eve", "all their tokens are revoked"],
      ["ada", null],
    ]);
    clock.forward(1);
    await createToken(as(cyd), { name: "new", role: "approver", person: "eve" });
    expect((await shown())?.[0]).toEqual(["eve", "all their tokens were revoked after they signed"]);
    await sign(eve, plan);
    expect(await statusOf(approval_id)).toBe("approved");
  });

  it("is met by who has left on good terms, which is in the ledger", async () => {
    const plan = await made();
    const kim = await makePerson(as(cyd), "kim", "approver");
    await sign(kim, plan);
    await revokeToken(as(cyd), { token_id: kim.token_id, keep_signatures: true });
    await sign(ada, plan);
    expect(await statusOf(plan.approval_id)).toBe("approved");
    expect(await rows("select actor, data from audit_entries where subject = $1", [kim.token_id])).toEqual([
      { actor: "cyd", data: { keep_signatures: true } },
    ]);
  });
});
