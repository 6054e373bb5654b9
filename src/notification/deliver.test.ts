import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { presented } from "../../test/support/approved.ts";
import { createDatabase, type TestDatabase } from "../../test/support/database.ts";
import { insertIncident } from "../../test/support/incident.ts";
import { makePerson, type SetClock, setClock } from "../../test/support/pipeline-deps.ts";
import { eventually } from "../../test/support/until.ts";
import type { Ctx } from "../db/ctx.ts";
import { transaction } from "../db/transaction.ts";
import { againId, enqueue, notify } from "../outbox/index.ts";
import { deliverNotices } from "./deliver.ts";
import { createRouter, routeSetting } from "./route.ts";
import type { Card, Notifier, SendResult } from "./types.ts";

let database: TestDatabase;
let clock: SetClock;
let ctx: Ctx;
beforeAll(async () => {
  database = await createDatabase();
  clock = setClock();
  ctx = database.ctx({ kind: "system", name: "pipeline" }, clock);
  for (const incident_id of ["INC-1", "INC-2", "INC-3"]) {
    const now = clock.now();
    await insertIncident(ctx, {
      incident_id,
      fingerprint: incident_id,
      title: "web is down",
      status: "investigating",
      severity: "P1",
      alert_category: "general",
      notification_type: "TYPE-3",
      affected_services: [],
      hit_count: 1,
      first_seen: now,
      last_seen: now,
      created_at: now,
      updated_at: now,
    });
  }
});
afterAll(() => database.drop());
beforeEach(() => database.pool.query("delete from deliveries; delete from outbox"));

const notices = (count: number, incident_id = "INC-1") =>
  transaction(ctx, async (tx) => {
    for (let n = 0; n < count; n += 1) notify(tx, { topic: "incident.opened", incident_id, payload: { n } });
  });
const rows = async (text: string) => (await database.pool.query(text)).rows;
const states = (notifier: string) =>
  rows(
    `select state, count(*)::int n, min(attempts) attempts from deliveries where notifier = '${notifier}' group by state order by state`,
  );

/** A notifier that keeps what it was given, and answers as the test says. */
function notifier(
  id: string,
  answer: (card: Card, count: number) => SendResult | Promise<SendResult> = () => ({ ok: true }),
) {
  const cards: Card[] = [];
  const self: Notifier & { cards: Card[] } = {
    id,
    cards,
    async send(card) {
      cards.push(card);
      return answer(card, cards.length);
    },
  };
  return self;
}
const down = (): SendResult => ({ ok: false, error: "refused", retryable: true });

describe("delivering notices", () => {
  it("tries one that cannot be shown again, and the others go on", async () => {
    const a = notifier("a");
    await transaction(ctx, (tx) =>
      notify(tx, { topic: "approval.pending", incident_id: "INC-1", payload: { approval_id: "APR-BROKEN" } }),
    );
    await notices(2);
    // A plan that no code of ours has written: the card of it cannot be made.
    await database.pool.query(
      `insert into approvals (approval_id, incident_id, decision_token, status, plan, plan_hash, action, description,
         blast_radius, dry_run_checks, requested_by, created_at, prepare_until)
       values ('APR-BROKEN', 'INC-1', '', 'rejected', 'null', '', '', '', '{}', '[]', '', now(), now())`,
    );
    await deliverNotices(ctx, [a]);
    await deliverNotices(ctx, [a]);
    expect(a.cards).toHaveLength(2);
    expect(await states("a")).toEqual([
      { state: "delivered", n: 2, attempts: 1 },
      { state: "waiting", n: 1, attempts: 1 },
    ]);
  });

  it("stops between two notices, and in the middle of one, when it is told to", async () => {
    const stop = new AbortController();
    const slow: Notifier = {
      id: "slow",
      send: (_card, { signal }) =>
        new Promise((_resolve, reject) => {
          signal.addEventListener("abort", () => reject(new Error("stopped")), { once: true });
          stop.abort();
        }),
    };
    await notices(3);
    await deliverNotices(ctx, [slow], { stopping: stop.signal });
    expect(await states("slow")).toEqual([{ state: "waiting", n: 3, attempts: 0 }]);
    await deliverNotices(ctx, [notifier("slow")], { stopping: stop.signal });
    expect(await states("slow")).toEqual([{ state: "waiting", n: 3, attempts: 0 }]);
  });

  it("brings each notice once to each notifier, in order, with an id of its own", async () => {
    const [a, b] = [notifier("a"), notifier("b")];
    await notices(5);
    await deliverNotices(ctx, [a, b]);
    await deliverNotices(ctx, [a, b]);
    for (const one of [a, b]) {
      const ids = one.cards.map((card) => Number(card.id.replace("notice-", "")));
      expect(ids).toHaveLength(5);
      expect(ids).toEqual([...ids].sort((x, y) => x - y));
      expect(new Set(ids).size).toBe(5);
    }
    expect(a.cards[0]).toMatchObject({
      incident_id: "INC-1",
      severity: "P1",
      topic: "incident.opened",
      title: "New incident: web is down",
    });
  });

  it("routes a notice once, also when two do so at the same time, and not to who comes later", async () => {
    const [a, late] = [notifier("a"), notifier("late")];
    await notices(150);
    await Promise.all([deliverNotices(ctx, [a]), deliverNotices(ctx, [a])]);
    for (let pass = 0; pass < 3; pass += 1) await deliverNotices(ctx, [a, late]);
    expect(await rows("select count(*)::int n from deliveries")).toEqual([{ n: 150 }]);
    expect(await states("a")).toMatchObject([{ state: "delivered", n: 150 }]);
    expect(late.cards).toEqual([]);
  });

  it("tries again later, with growing waits, until it arrives", async () => {
    const flaky = notifier("flaky", (_card, count) => (count < 4 ? down() : { ok: true }));
    await notices(1);
    for (const wait of [2, 4, 8]) {
      await deliverNotices(ctx, [flaky]);
      const tried = flaky.cards.length;
      clock.forward(wait - 1);
      await deliverNotices(ctx, [flaky]);
      expect(flaky.cards).toHaveLength(tried);
      clock.forward(1);
    }
    await deliverNotices(ctx, [flaky]);
    expect(await states("flaky")).toEqual([{ state: "delivered", n: 1, attempts: 4 }]);
    expect(new Set(flaky.cards.map((card) => card.id)).size).toBe(1);
  });

  it("gives up at once what cannot be delivered ever, and shows why without secrets", async () => {
    const refusing = notifier("no", () => ({
      ok: false,
      error: "401 for https://u:hunter2-x@chat/",
      retryable: false,
    }));
    await notices(1);
    await deliverNotices(ctx, [refusing]);
    clock.forward(100_000);
    await deliverNotices(ctx, [refusing]);
    expect(refusing.cards).toHaveLength(1);
    const [row] = await rows("select state, error from deliveries");
    expect(row.state).toBe("failed");
    expect(row.error).not.toContain("hunter2");
  });

  it.each<[string, (cards: Card[]) => Notifier]>([
    ["refuses", () => notifier("dead", down)],
    ["rejects", () => notifier("dead", () => Promise.reject(new Error("socket hang up")))],
    [
      "throws",
      () => ({
        id: "dead",
        send: () => {
          throw new Error("bug");
        },
      }),
    ],
  ])("does not let a notifier that %s hold up another, however much waits for it", async (_how, make) => {
    const [dead, alive] = [make([]), notifier("alive")];
    await notices(250);
    for (let pass = 0; pass < 5; pass += 1) await deliverNotices(ctx, [dead, alive]);
    expect(alive.cards).toHaveLength(250);
    expect(await states("alive")).toMatchObject([{ state: "delivered", n: 250 }]);
    expect(await states("dead")).toMatchObject([{ state: "waiting", n: 250 }]);
  });

  it("lets others go on while one takes its time", async () => {
    let release: (result: SendResult) => void = () => {};
    const slow = notifier(
      "slow",
      () =>
        new Promise<SendResult>((done) => {
          release = done;
        }),
    );
    const alive = notifier("alive");
    await notices(3);
    const pass = deliverNotices(ctx, [slow, alive]);
    await eventually(async () => expect(alive.cards).toHaveLength(3));
    expect(slow.cards).toHaveLength(1);
    release(down());
    await pass;
    expect(slow.cards).toHaveLength(1);
  });

  it("fails what is for a notifier that is no longer configured", async () => {
    await notices(1);
    await deliverNotices(ctx, [notifier("old", down)]);
    clock.forward(10);
    await deliverNotices(ctx, []);
    expect(await states("old")).toMatchObject([{ state: "failed" }]);
  });

  it("brings it to those channels that any alert of its incident, or of an effect of that, is routed to", async () => {
    const alert = (id: string, team: string, incident_id = "INC-1") =>
      database.pool.query(
        `insert into alerts (alert_id, instance_key, source, source_fingerprint, fingerprint, incident_id, status,
           alert_name, alert_type, alert_category, notification_type, cluster, namespace, target_resource, message,
           labels, annotations, starts_at, first_received_at, last_received_at)
         values ($1, $1, 'test', '', '', $3, 'resolved', '', '', '', '', '', '', '', '', $2, '{}', now(), now(), now())`,
        [id, JSON.stringify({ team, notification_type: "TYPE-5S" }), incident_id],
      );
    await database.pool.query("update incidents set merged_into = 'INC-1' where incident_id = 'INC-3'");
    await alert("ALT-3", "cache", "INC-3");
    await alert("ALT-1", "db");
    await alert("ALT-2", "web");
    const channels = ["dba", "web", "cache", "security", "other", "rest"].map((id) => notifier(id));
    const route = createRouter(
      [
        // An alert that says so itself does not make it so: the incident's own is TYPE-3.
        { matchers: ['notification_type="TYPE-5S"'], receivers: ["security"] },
        { matchers: ['incident_severity="P1"', "team=db"], receivers: ["dba"] },
        { matchers: ["team=web"], receivers: ["web"] },
        { matchers: ["team=cache"], receivers: ["cache"] },
        { matchers: ["team=other"], receivers: ["other"] },
      ].map((one) => routeSetting.parse(one)),
    );
    await notices(2);
    await notices(1, "INC-2");
    await deliverNotices(ctx, channels, { route });
    // INC-2 has no alert, and fits no route.
    expect(channels.map(({ id, cards }) => [id, cards.map((card) => card.incident_id)])).toEqual([
      ["dba", ["INC-1", "INC-1", "INC-2"]],
      ["web", ["INC-1", "INC-1", "INC-2"]],
      ["cache", ["INC-1", "INC-1", "INC-2"]],
      ["security", ["INC-2"]],
      ["other", ["INC-2"]],
      ["rest", ["INC-2"]],
    ]);
    await database.pool.query("delete from alerts");
  });

  it("waits as long as a channel asks for, with all that waits for it, and not longer than an hour", async () => {
    const busy = (retry_after: number) => () => ({ ...down(), retry_after }) as SendResult;
    for (const [asked, first, others] of [
      [40, 40, 40],
      [1, 2, 1],
      [1e9, 3_600, 3_600],
      [Number.NaN, 2, 0],
      [-5, 2, 0],
    ] as const) {
      await database.pool.query("delete from deliveries; delete from outbox");
      await notices(3);
      const channel = notifier("busy", busy(asked));
      await deliverNotices(ctx, [channel, notifier("free")]);
      expect(channel.cards).toHaveLength(1);
      const waits = await rows(
        "select next_attempt_at at from deliveries where notifier = 'busy' order by outbox_seq",
      );
      const seconds = waits.map(({ at }) => (at.getTime() - clock.now().getTime()) / 1000);
      expect(seconds).toEqual([first, others, others]);
      expect(await states("free")).toMatchObject([{ state: "delivered", n: 3 }]);
    }
  });

  it("keeps no id that it could not use, and delivers all the same", async () => {
    for (const id of ["a\0b", "", "x".repeat(201), "\ud800", null, undefined]) {
      await database.pool.query("delete from deliveries; delete from outbox");
      await notices(2);
      const chat = notifier("chat", () => ({ ok: true, message_id: id as string }));
      await deliverNotices(ctx, [chat]);
      await deliverNotices(ctx, [chat]);
      expect(chat.cards).toHaveLength(2);
      expect(await rows("select distinct state, message_id from deliveries")).toEqual([
        { state: "delivered", message_id: null },
      ]);
    }
    await notices(1);
    await deliverNotices(ctx, [
      notifier("chat", () => ({ ok: true, message_id: 4711 as unknown as string })),
    ]);
    expect(await rows("select message_id from deliveries where message_id is not null")).toEqual([
      { message_id: "4711" },
    ]);
  });

  it("sends no more than a channel takes in a time, and the rest later, in order, also over reloads", async () => {
    const free = notifier("free");
    await notices(8);
    const cards: Card[][] = [];
    for (let pass = 0; pass < 6; pass += 1) {
      // Another object each time, as after a reload.
      const slow = Object.assign(notifier("slow"), { rate: { messages: 3, seconds: 60 } });
      await deliverNotices(ctx, [slow, free]);
      cards.push(slow.cards);
      clock.forward(30);
    }
    expect(cards.map((sent) => sent.length)).toEqual([3, 0, 3, 0, 2, 0]);
    expect(free.cards).toHaveLength(8);
    const ids = cards.flat().map((card) => Number(card.id.replace("notice-", "")));
    expect(ids).toEqual([...ids].sort((x, y) => x - y));
  });

  it("replies to the channel's first message of the same incident", async () => {
    const replies: (string | null)[] = [];
    const chat = (threads: boolean): Notifier => ({
      id: "chat",
      ...(threads ? { threads } : {}),
      async send(card, { reply_to }) {
        replies.push(reply_to);
        return { ok: true, message_id: `m-${card.incident_id}-${replies.length}` };
      },
    });
    await notices(2);
    await notices(1, "INC-2");
    await deliverNotices(ctx, [chat(true)]);
    await notices(1, "INC-2");
    await deliverNotices(ctx, [chat(true)]);
    expect(replies).toEqual([null, "m-INC-1-1", null, "m-INC-2-3"]);
    await notices(1);
    await deliverNotices(ctx, [chat(false)]);
    expect(replies.at(-1)).toBeNull();
  });

  it("is the pipeline's alone", async () => {
    const ada = await makePerson(ctx, "ada", "admin");
    for (const actor of [
      ada,
      { kind: "sender" as const, name: "x" },
      { kind: "system" as const, name: "intake" as const },
    ]) {
      await expect(deliverNotices(database.ctx(actor), [])).rejects.toThrow(
        expect.objectContaining({ code: "forbidden" }),
      );
    }
  });
});

describe("the outbox", () => {
  it("has nothing of a transaction that was rolled back: no notice, no work", async () => {
    const work = { kind: "execute", incident_id: "INC-1", approval_id: "APR-ROLLED-BACK" } as const;
    await expect(
      transaction(ctx, async (tx) => {
        notify(tx, { topic: "incident.opened", incident_id: "INC-2", payload: {} });
        enqueue(tx, work);
        throw new Error("no");
      }),
    ).rejects.toThrow("no");
    expect(await rows("select 1 from outbox")).toEqual([]);
    expect(await rows("select 1 from dbos.workflow_status")).toEqual([]);
  });

  it("has work once, however often it is enqueued, and again only when that is asked for", async () => {
    const work = { kind: "execute", incident_id: "INC-1", approval_id: "APR-1" } as const;
    for (const again of [0, 0, 1, 1])
      await transaction(ctx, (tx) => enqueue(tx, work, again === 0 ? {} : { id: againId(work, again) }));
    expect(
      await rows("select workflow_uuid id, name, status, queue_name from dbos.workflow_status order by 1"),
    ).toEqual([
      { id: "execute:APR-1", name: "execute", status: "ENQUEUED", queue_name: "work" },
      { id: "execute:APR-1:again-1", name: "execute", status: "ENQUEUED", queue_name: "work" },
    ]);
  });
});

describe("a request to sign", () => {
  /** A chat that has one message for the request, and what becomes of it. */
  async function asked(edits: (count: number) => SendResult | Promise<SendResult>) {
    const { approval_id, incident_id } = await presented(database, clock);
    await database.pool.query("delete from deliveries; delete from outbox");
    const edited: { message_id: string; card: Card }[] = [];
    const chat = Object.assign(
      notifier("chat", (_card, count) => ({ ok: true, message_id: `m-${count}` })),
      { edited },
    );
    chat.edit = async (message_id, card) => {
      edited.push({ message_id, card });
      return edits(edited.length);
    };
    const tell = (topic: "approval.pending" | "approval.rejected") =>
      transaction(ctx, async (tx) => notify(tx, { topic, incident_id, payload: { approval_id } }));
    await tell("approval.pending");
    await deliverNotices(ctx, [chat]);
    await deliverNotices(ctx, [chat]);
    expect(chat.cards[0]?.approval).toMatchObject({ approval_id });
    expect(edited).toEqual([]);
    const become = (status: string) =>
      database.pool.query("update approvals set status = $1 where approval_id = $2", [status, approval_id]);
    return { chat, become, tell };
  }

  it.each(["rejected", "expired", "superseded", "approved"])(
    "is edited once, when its plan is %s, though no notice says so",
    async (status) => {
      const { chat, become } = await asked(() => ({ ok: true }));
      await become(status);
      for (let pass = 0; pass < 3; pass += 1) await deliverNotices(ctx, [chat]);
      expect(chat.edited.map(({ message_id, card }) => [message_id, card.approval])).toEqual([["m-1", null]]);
    },
  );

  it.each<[string, () => SendResult | Promise<SendResult>]>([
    ["fails", down],
    ["throws", () => Promise.reject(new Error("socket hang up"))],
  ])("is edited later where that %s, and delays no notice", async (_how, edits) => {
    const { chat, become, tell } = await asked((count) => (count < 3 ? edits() : { ok: true }));
    await become("rejected");
    await tell("approval.rejected");
    for (let pass = 0; pass < 5; pass += 1) await deliverNotices(ctx, [chat]);
    expect(chat.cards.map((card) => card.topic)).toEqual(["approval.pending", "approval.rejected"]);
    expect(chat.edited).toHaveLength(1);
    for (let pass = 0; pass < 5; pass += 1) {
      clock.forward(61);
      await deliverNotices(ctx, [chat]);
    }
    expect(chat.edited).toHaveLength(3);
  });

  it("is left as it is where its message is gone", async () => {
    const { chat, become } = await asked(() => ({ ok: false, error: "message not found", retryable: false }));
    await become("rejected");
    for (let pass = 0; pass < 3; pass += 1) {
      await deliverNotices(ctx, [chat]);
      clock.forward(100);
    }
    expect(chat.edited).toHaveLength(1);
  });
});

describe("the operation log", () => {
  it("holds when people were asked and when they were told the result, by whom, once each", async () => {
    const { approval_id, incident_id } = await presented(database, clock);
    await database.pool.query("delete from deliveries; delete from outbox");
    const pending = { topic: "approval.pending" as const, incident_id, payload: { approval_id } };
    await transaction(ctx, async (tx) => notify(tx, pending));
    await notices(1, incident_id);
    let up = false;
    const telegram = notifier("telegram", () => (up ? { ok: true } : down()));
    await deliverNotices(ctx, [telegram]);
    const logged = () =>
      rows(`select event, data->>'notifier' as by from timeline where incident_id = '${incident_id}'
        and event like '%SENT' order by seq`);
    expect(await logged()).toEqual([]);
    up = true;
    clock.forward(600);
    await deliverNotices(ctx, [telegram]);
    await deliverNotices(ctx, [telegram]);
    expect(await logged()).toEqual([{ event: "TELEGRAM_SENT", by: "telegram" }]);
    const card = telegram.cards.find((one) => one.approval?.approval_id === approval_id);
    expect(card?.lines.join("\n")).toMatch(
      /^Restart .* \(medium risk, 1 to sign\)$\n^Blast radius: away for about/m,
    );
  });
});
