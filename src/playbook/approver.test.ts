import { afterAll, beforeAll, expect, it } from "vitest";
import { createDatabase, type TestDatabase } from "../../test/support/database.ts";
import { makePerson, type Person, setClock } from "../../test/support/pipeline-deps.ts";
import { createToken, revokeToken } from "../access/index.ts";
import { transaction } from "../db/transaction.ts";
import type { Role } from "../lib/actor.ts";
import { approvePlaybook } from "./approve.ts";
import { approverLapse } from "./approver.ts";
import { parsePlaybooks } from "./document.ts";
import { importPlaybooks } from "./import.ts";
import { getPlaybook } from "./read.ts";

let database: TestDatabase;
let root: Person;
let count = 0;
const clock = setClock();

beforeAll(async () => {
  database = await createDatabase();
  root = await makePerson(database.ctx(undefined, clock), "root", "admin");
});
afterAll(() => database.drop());

const as = (person: Person) => database.ctx(person, clock);
/** Time goes on by more than what clocks are corrected by. */
const later = () => clock.forward(120);
const somebody = (role: Role = "approver") =>
  makePerson(database.ctx(undefined, clock), `somebody-${"abcdefghijklmnopqrstuvwxyz"[count++]}`, role);
const revoke = ({ token_id }: { token_id: string }, keep_signatures = false) => {
  later();
  return revokeToken(as(root), { token_id, keep_signatures });
};
const token = ({ name }: Person, role: Role = "approver") => {
  later();
  return createToken(as(root), { name: `${name} again`, person: name, role });
};

/** A playbook that this person has approved; `legacy`: before it was kept which person, and when. */
async function approved(by: Person, { legacy = false } = {}) {
  const name = `playbook-${count++}`;
  const text = `playbooks: [{ name: ${name}, pattern: { alert_names: [A] }, steps: [{ operation: process.restart }] }]`;
  const [made] = await importPlaybooks(as(root), parsePlaybooks(text));
  const { playbook_id } = made!.playbook;
  later();
  await approvePlaybook(as(by), { playbook_id });
  if (legacy)
    await database.pool.query(
      "update playbooks set approved_by_person = null, approved_at = null, approved_by_kind = null where playbook_id = $1",
      [playbook_id],
    );
  return playbook_id;
}
const lapse = async (playbook_id: string) => {
  later();
  return transaction(as(root), async (tx) => approverLapse(tx, await getPlaybook(tx, playbook_id)));
};

it("stands while its approver may approve, with any of their tokens", async () => {
  const pat = await somebody();
  const playbook = await approved(pat);
  expect(await lapse(playbook)).toBeNull();
  const other = await token(pat);
  await revoke(pat);
  expect(await lapse(playbook)).toBeNull();
  await revoke(other);
  expect(await lapse(playbook)).toBe(`${pat.name} approved its playbook, and all their tokens are revoked`);
});

it("lapses with a lower role, and is not restored by a token that is made afterwards", async () => {
  const pat = await somebody();
  const playbook = await approved(pat);
  await token(pat, "responder");
  await revoke(pat);
  expect(await lapse(playbook)).toContain("no longer have a token of the role approver");
  await token(pat);
  expect(await lapse(playbook)).toContain("after they signed");
});

it("stands when its approver left with their signatures kept", async () => {
  for (const legacy of [false, true]) {
    const pat = await somebody();
    const playbook = await approved(pat, { legacy });
    await revoke(pat, true);
    expect(await lapse(playbook)).toBeNull();
  }
});

it("is whose name it is where it was not kept who, as long as that is somebody who may", async () => {
  const [pat, gone, lower] = [await somebody(), await somebody(), await somebody()];
  const playbooks = await Promise.all([pat, gone, lower].map((one) => approved(one, { legacy: true })));
  await revoke(gone);
  await token(lower, "responder");
  await revoke(lower);
  expect(await Promise.all(playbooks.map(lapse))).toEqual([
    null,
    expect.stringContaining("are revoked"),
    expect.stringContaining("role approver"),
  ]);
});

it.each([
  ["nobody", "null", "null"],
  ["a name that nobody has", "'nobody-has-it'", "null"],
  ["a part of the system", "'root'", "'system'"],
])("asks people where it was approved by %s", async (_what, label, kind) => {
  const playbook = await approved(root, { legacy: true });
  await database.pool.query(
    `update playbooks set approved_by = ${label}, approved_by_kind = ${kind} where playbook_id = $1`,
    [playbook],
  );
  expect(await lapse(playbook)).toBe("the approver of its playbook is unknown");
});

it("is given anew by who approves it again, and only where it has lapsed", async () => {
  const [pat, kim] = [await somebody(), await somebody()];
  const playbook_id = await approved(pat);
  expect(await approvePlaybook(as(kim), { playbook_id })).toMatchObject({ approved_by: pat.name });
  await revoke(pat);
  expect(await approvePlaybook(as(kim), { playbook_id })).toMatchObject({
    ...{ status: "approved", approved_by: kim.name, approved_by_person: kim.person_id },
  });
  expect(await lapse(playbook_id)).toBeNull();
  const { rows } = await database.pool.query(
    "select 1 from audit_entries where subject = $1 and action = 'playbook.approved'",
    [playbook_id],
  );
  expect(rows).toHaveLength(2);
});

it("is held: who revokes at the moment of an act is before it or after it", async () => {
  const pat = await somebody();
  const playbook_id = await approved(pat);
  const order: string[] = [];
  let revoking: Promise<unknown> = Promise.resolve();
  await transaction(as(root), async (tx) => {
    expect(await approverLapse(tx, await getPlaybook(tx, playbook_id))).toBeNull();
    const client = await database.pool.connect();
    try {
      await client.query("set lock_timeout = '200ms'");
      const taken = client.query("update tokens set revoked_at = now() where token_id = $1", [pat.token_id]);
      await expect(taken).rejects.toMatchObject({ code: "55P03" });
    } finally {
      client.release(true);
    }
    revoking = revoke(pat).then(() => order.push("revoked"));
    order.push("acted");
  });
  await revoking;
  expect(order).toEqual(["acted", "revoked"]);
});
