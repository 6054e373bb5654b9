import { authorise } from "../access/index.ts";
import { record } from "../audit/index.ts";
import type { ImportedPlaybooks } from "../contract/playbook.ts";
import type { Ctx } from "../db/ctx.ts";
import { transaction } from "../db/transaction.ts";
import { actorLabel } from "../lib/actor.ts";
import { prefixedId } from "../lib/id.ts";
import type { WrittenPlaybook } from "./document.ts";
import { hashOf } from "./hash.ts";
import { insertPlaybook, lockByName, lockImports, updatePlaybook } from "./store.ts";
import type { PlaybookRow } from "./types.ts";

export type Imported = { result: ImportedPlaybooks["items"][number]["result"]; playbook: PlaybookRow };

async function create(tx: Ctx, one: WrittenPlaybook): Promise<Imported> {
  const now = tx.clock.now();
  const playbook = await insertPlaybook(tx, {
    ...one,
    playbook_id: prefixedId("PBK", tx.random),
    status: "draft",
    source: "manual",
    created_by: actorLabel(tx.actor),
    created_by_kind: tx.actor.kind,
    created_at: now,
    updated_at: now,
  });
  return { result: "created", playbook };
}

/** Reset when pattern or steps change: approval, counts and trust belonged to the former version. */
const ANEW = {
  status: "draft",
  approved_by: null,
  approved_by_kind: null,
  approved_by_person: null,
  approved_at: null,
  runs: 0,
  successes: 0,
  failures: 0,
  trust: 0,
} as const;

async function bringIn(tx: Ctx, one: WrittenPlaybook): Promise<Imported> {
  const before = await lockByName(tx, one.name);
  if (before === undefined) return create(tx, one);
  const same = hashOf(before) === hashOf(one);
  if (same && before.description === one.description) return { result: "unchanged", playbook: before };
  // An approved playbook may be changed only by an approver.
  if (before.status === "approved")
    authorise(tx.actor, `change the approved playbook ${one.name}`, { people: "approver" });
  const change = same ? { description: one.description } : { ...one, ...ANEW };
  return { result: "changed", playbook: await updatePlaybook(tx, before.playbook_id, change) };
}

/**
 * Imports playbooks by name: a new one becomes a draft, and so does one whose pattern or steps have changed. Idempotent.
 */
export async function importPlaybooks(ctx: Ctx, written: readonly WrittenPlaybook[]): Promise<Imported[]> {
  authorise(ctx.actor, "import playbooks", { people: "responder" });
  return transaction(ctx, async (tx) => {
    await lockImports(tx);
    const imported: Imported[] = [];
    for (const one of written) {
      const done = await bringIn(tx, one);
      imported.push(done);
      if (done.result === "unchanged") continue;
      const { playbook_id, name, status, pattern, steps } = done.playbook;
      const data = { name, result: done.result, status, pattern, steps };
      record(tx, { action: "playbook.imported", subject: playbook_id, data });
    }
    return imported;
  });
}
