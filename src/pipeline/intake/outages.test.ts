import fc from "fast-check";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createDatabase, type TestDatabase } from "../../../test/support/database.ts";
import { type SetClock, setClock, testPipelineDeps } from "../../../test/support/pipeline-deps.ts";
import { SEED } from "../../../test/support/random.ts";
import { grafana } from "../../adapters/sources/grafana/index.ts";
import { pagerduty } from "../../adapters/sources/pagerduty/index.ts";
import { frequencies } from "../../incident/frequency/count.ts";
import { resolve } from "../../incident/index.ts";
import type { Receipt } from "../../intake/index.ts";
import { insertReceipts } from "../../intake/store.ts";
import { addSeconds } from "../../lib/clock.ts";
import { beginHeldOutages } from "../sweep/begin-held.ts";
import { sweep } from "../sweep/sweep.ts";
import type { PipelineDeps } from "../types.ts";
import { processReceipts } from "./process-receipts.ts";

let database: TestDatabase;
let clock: SetClock;
let deps: PipelineDeps;

beforeAll(async () => {
  database = await createDatabase();
});
afterAll(() => database.drop());
beforeEach(async () => {
  clock = setClock();
  const made = testPipelineDeps(database, clock);
  deps = { ...made, sources: [...made.sources, grafana.create(), pagerduty.create({ routing_keys: [] })] };
  await database.forget();
  await beginHeldOutages(deps);
});

async function rows<T = Record<string, unknown>>(text: string, values: unknown[] = []): Promise<T[]> {
  return (await database.pool.query(text, values)).rows as T[];
}
const topics = async () =>
  (await rows<{ topic: string }>("select topic from outbox order by seq")).map(({ topic }) =>
    topic.replace("incident.", ""),
  );
const outages = async () =>
  (
    await rows<{ outage: number; status: string }>(
      "select outage, status from alerts order by alert_name, outage",
    )
  ).map(({ outage, status }) => `${outage} ${status}`);
const incident = async () => (await rows("select * from incidents order by created_at desc"))[0];

type Notice = { status: "firing" | "resolved"; name?: string; startsAt?: string; endsAt?: string };
type Sent = { body: unknown; source: string; sender: string };
type Letter = { receipt: Receipt; body: unknown };

/** Writes a receipt down, as the server does before it answers. */
async function journalled({ body, source, sender }: Sent): Promise<Letter> {
  const row = { source, sender, body: Buffer.from(JSON.stringify(body)), received_at: clock.now() };
  const [seq = 0] = await insertReceipts(deps.as("intake"), [row]);
  return { receipt: { ...row, seq }, body };
}
const understand = async (...letters: Letter[]) => {
  const answers = await processReceipts(deps.as("intake"), deps, letters);
  return letters.map(({ receipt }) => answers.get(receipt.seq)!);
};

const START = "2026-05-04T07:00:00.000Z";
/** What one replica of an Alertmanager sends. */
const from = (replica: string, ...notices: Notice[]): Sent => ({
  source: "alertmanager",
  sender: "10.0.0.1",
  body: {
    version: "4",
    externalURL: `http://alertmanager-${replica}:9093`,
    alerts: notices.map(({ name = "HighCPUUsage", startsAt = START, ...notice }) => ({
      ...notice,
      startsAt,
      labels: { alertname: name, severity: "warning", deployment: name.toLowerCase() },
      fingerprint: `f-${name}`,
    })),
  },
});
const firing: Notice = { status: "firing" };
const over = (): Notice => ({ status: "resolved", endsAt: clock.now().toISOString() });
async function send(...sent: Sent[]) {
  const letters: Letter[] = [];
  for (const one of sent) letters.push(await journalled(one));
  const answers = await understand(...letters);
  clock.forward(1);
  return answers;
}
/** Time passes, with a sweep for what is held at least every half minute. */
async function pass(seconds: number, each = beginHeldOutages): Promise<void> {
  for (let left = seconds; left > 0; left -= 30) {
    clock.forward(Math.min(left, 30));
    await each(deps);
  }
}

describe("an alert of one Alertmanager", () => {
  it("that Prometheus left for a while fires again with the start it had, and is told", async () => {
    await send(from("a", firing));
    await send(from("a", over()));
    const [back] = await send(from("a", firing));
    expect(back).toMatchObject({ hit_count: 2 });
    expect(await topics()).toEqual(["opened", "resolved", "reopened"]);
    clock.forward(60);
    await send(from("a", over()));
    expect(await outages()).toEqual(["1 resolved", "2 resolved"]);
    expect(await incident()).toMatchObject({ status: "resolved", hit_count: 2 });
  });

  it("is a new incident when it fires again after the windows, never nothing", async () => {
    await send(from("a", firing));
    await send(from("a", over()));
    clock.forward(3_600);
    await send(from("a", firing));
    expect(await topics()).toEqual(["opened", "resolved", "opened"]);
  });

  it("that lost its state gives it another start, and it is the same outage", async () => {
    await send(from("a", firing));
    await send(from("a", { ...firing, startsAt: clock.now().toISOString() }));
    expect(await outages()).toEqual(["1 firing"]);
    expect(await incident()).toMatchObject({ hit_count: 1 });
    await send(from("a", over()));
    expect(await incident()).toMatchObject({ status: "resolved" });
  });

  it("goes on when the end of the outage before is said again", async () => {
    await send(from("a", firing));
    const end = from("a", over());
    await send(end);
    await send(from("a", firing));
    await send(end);
    expect(await outages()).toEqual(["1 resolved", "2 firing"]);
    expect(await incident()).toMatchObject({ status: "investigating", hit_count: 2 });
    clock.forward(60);
    await send(from("a", over()));
    expect(await incident()).toMatchObject({ status: "resolved" });
  });

  it("gets worse: its incident does, once, and so does one that is held", async () => {
    const as = (severity: string) => {
      const sent = from("a", firing);
      const [alert] = (sent.body as { alerts: { labels: Record<string, string> }[] }).alerts;
      alert!.labels.severity = severity;
      return sent;
    };
    await send(as("warning"));
    await send(as("critical"));
    await send(as("critical"), as("warning"));
    expect(await incident()).toMatchObject({ severity: "P0", hit_count: 1 });
    expect(await topics()).toEqual(["opened", "raised"]);
    expect(await rows("select severity from alerts")).toEqual([{ severity: "P0" }]);
  });

  it("ends and fires again within one body in the order of the body", async () => {
    await send(from("a", firing));
    await send(from("a", over(), firing));
    expect(await outages()).toEqual(["1 resolved", "2 firing"]);
    await send(from("a", firing, over()));
    expect(await outages()).toEqual(["1 resolved", "2 resolved"]);
  });
});

describe("an alert of a high-availability pair", () => {
  it("ends with either's notice, whichever start that has", async () => {
    await send(from("a", firing));
    await send(from("b", { ...firing, startsAt: clock.now().toISOString() }));
    expect(await incident()).toMatchObject({ hit_count: 1 });
    await send(from("b", { ...over(), startsAt: addSeconds(clock.now(), -1).toISOString() }));
    expect(await outages()).toEqual(["1 resolved"]);
    expect(await incident()).toMatchObject({ status: "resolved" });
  });

  it("is held when the other says that it fires, and forgotten when that takes it back", async () => {
    await send(from("a", firing), from("b", firing));
    await send(from("a", over()));
    const [held] = await send(from("b", firing));
    expect(held).toMatchObject({ incident_id: null, message: expect.stringContaining("held") });
    expect(await outages()).toEqual(["1 resolved", "2 held"]);
    await pass(280);
    await send(from("b", over()));
    await pass(600);
    expect(await outages()).toEqual(["1 resolved"]);
    expect(await topics()).toEqual(["opened", "resolved"]);
    // Both have said that it is over: either's word is news.
    await send(from("b", firing));
    expect(await topics()).toEqual(["opened", "resolved", "opened"]);
  });

  it("is an outage when the other does not take it back for the resolve timeout", async () => {
    await send(from("a", firing));
    await send(from("a", over()));
    await send(from("b", firing));
    await pass(270);
    await send(from("b", firing));
    expect(await outages()).toEqual(["1 resolved", "2 held"]);
    await pass(60);
    expect(await outages()).toEqual(["1 resolved", "2 firing"]);
    expect(await topics()).toEqual(["opened", "resolved", "opened"]);
    expect(await rows("select sum(hit_count)::int n from incidents")).toEqual([{ n: 2 }]);
    await send(from("b", over()));
    expect(await outages()).toEqual(["1 resolved", "2 resolved"]);
  });

  it("that is held begins at once by the word of who said that it was over", async () => {
    await send(from("a", firing));
    await send(from("a", over()));
    await send(from("b", firing));
    await send(from("a", firing));
    expect(await outages()).toEqual(["1 resolved", "2 firing"]);
    expect(await topics()).toEqual(["opened", "resolved", "reopened"]);
    await pass(600);
    expect(await incident()).toMatchObject({ hit_count: 2, status: "investigating" });
  });

  it("does not end by what the other says late of the outage before", async () => {
    await send(from("a", firing));
    const late = from("b", over());
    clock.forward(60);
    await send(from("a", over()));
    await send(from("a", firing));
    await send(late);
    expect(await outages()).toEqual(["1 resolved", "2 firing"]);
  });

  it("is held for as long as its sender could reach us: a break gives it its turn", async () => {
    await send(from("a", firing));
    await send(from("a", over()));
    await send(from("b", firing));
    clock.forward(3_600);
    await beginHeldOutages(deps);
    await pass(270);
    expect(await outages()).toEqual(["1 resolved", "2 held"]);
    await pass(60);
    expect(await outages()).toEqual(["1 resolved", "2 firing"]);
  });
});

describe("other senders", () => {
  const ofGrafana = (orgId: number, notice: Record<string, unknown>): Sent => ({
    source: "grafana",
    sender: "10.0.0.2",
    body: {
      orgId,
      externalURL: "http://grafana",
      alerts: [{ labels: { alertname: "Full" }, fingerprint: "f", ...notice }],
    },
  });

  it("Grafana ends an alert with a start of its own", async () => {
    await send(ofGrafana(1, { status: "firing", startsAt: START }));
    const now = clock.now().toISOString();
    await send(ofGrafana(1, { status: "resolved", startsAt: now, endsAt: now }));
    expect(await outages()).toEqual(["1 resolved"]);
    expect(await incident()).toMatchObject({ status: "resolved" });
  });

  it("an organisation of a Grafana does not end the alerts of another", async () => {
    await send(ofGrafana(1, { status: "firing", startsAt: START }));
    await send(ofGrafana(2, { status: "resolved", startsAt: START, endsAt: clock.now().toISOString() }));
    expect(await rows("select 1 from alerts where status = 'firing'")).toHaveLength(1);
  });

  it("the sender of one webhook does not end what another brought, whatever source its body names", async () => {
    const generic = (status: string): Sent => ({
      source: "generic",
      sender: "hmac",
      body: {
        status,
        source: "alertmanager",
        alert_type: "x",
        message: "x",
        fingerprint: "f-HighCPUUsage",
        startsAt: START,
      },
    });
    await send(from("a", firing));
    await send(generic("resolved"));
    expect(await rows("select 1 from alerts where status = 'firing'")).toHaveLength(1);
  });

  it("PagerDuty's key is one alert until it is resolved, and its next trigger another outage", async () => {
    const event = (event_action: string): Sent => ({
      source: "pagerduty",
      sender: "key",
      body: { event_action, dedup_key: "k", payload: { summary: "disk", source: "h", severity: "error" } },
    });
    await send(event("trigger"), event("trigger"));
    await send(event("acknowledge"));
    expect(await incident()).toMatchObject({ hit_count: 1, acknowledged_at: expect.any(Date) });
    await send(event("resolve"));
    await send(event("trigger"));
    expect(await outages()).toEqual(["1 resolved", "2 firing"]);
    expect(await incident()).toMatchObject({ hit_count: 2 });
  });
});

describe("receipts that are understood late", () => {
  it("begin nothing where the end was received after them, and are not counted twice", async () => {
    const early = await journalled(from("a", firing));
    clock.forward(10);
    await send(from("a", over()));
    await understand(early);
    expect(await outages()).toEqual(["0 resolved"]);
    expect(await topics()).toEqual([]);
  });

  it("end nothing that was said to fire after them, by whoever, when they are understood out of turn", async () => {
    await send(from("a", firing), from("b", firing));
    for (const by of ["a", "b"]) {
      const early = await journalled(from("a", over()));
      clock.forward(10);
      await send(from(by, firing));
      await understand(early);
      expect(await outages()).toEqual(["1 firing"]);
    }
    await send(from("a", over()));
    expect(await outages()).toEqual(["1 resolved"]);
  });

  it("end nothing that began after them", async () => {
    await send(from("a", firing));
    const late = await journalled(from("a", over()));
    clock.forward(10);
    await send(from("a", over()));
    await send(from("a", firing));
    await understand({ ...late, receipt: { ...late.receipt, replays: 1 } });
    expect(await outages()).toEqual(["1 resolved", "2 firing"]);
  });
});

describe("flapping", () => {
  const turn = async () => {
    await send(from("a", firing));
    await send(from("a", over()));
  };
  const messages = async () => (await topics()).filter((topic) => !topic.startsWith("approval"));

  it("is told once and why, keeps the incident open, and ends with its quiet", async () => {
    for (let times = 0; times < 6; times += 1) await turn();
    const damped = ["opened", "resolved", "reopened", "resolved", "reopened", "flapping"];
    expect(await messages()).toEqual(damped);
    expect(await incident()).toMatchObject({
      flapping: true,
      status: "investigating",
      hit_count: 6,
      flaps: 4,
    });
    expect(
      await rows("select payload->>'reason' as why from outbox where topic = 'incident.flapping'"),
    ).toEqual([
      { why: "It ended 3 times within 10 min: it stays open until it has been quiet for that long" },
    ]);
    await sweep(deps);
    expect(await incident()).toMatchObject({ flapping: true });
    clock.forward(601);
    await sweep(deps);
    expect(await messages()).toEqual([...damped, "resolved"]);
    expect(await incident()).toMatchObject({ flapping: false, status: "resolved" });
    // Back after that it is told as any other.
    await send(from("a", firing));
    expect((await messages()).at(-1)).toMatch(/opened/);
  });

  it("does not hide a severity that rises, nor that it comes too often", async () => {
    deps = {
      ...deps,
      windows: { ...deps.windows, escalation: { in_24_hours: 3, in_7_days: 6, in_30_days: 8 } },
    };
    for (let times = 0; times < 4; times += 1) await turn();
    const worse = from("a", firing);
    (worse.body as { alerts: { labels: { severity: string }; fingerprint: string }[] })
      .alerts[0]!.labels.severity = "critical";
    await send(worse);
    expect((await messages()).slice(-2)).toEqual(["flapping", "raised"]);
    await send(from("a", over()));
    expect(await incident()).toMatchObject({ escalation_level: 2 });
    await turn();
    expect(await incident()).toMatchObject({ escalation_level: 3 });
    for (let times = 0; times < 2; times += 1) await turn();
    expect(await incident()).toMatchObject({ escalation_level: 4, flapping: true });
  });

  it("is over when it fires without a break, and then ends as any other", async () => {
    for (let times = 0; times < 4; times += 1) await turn();
    await send(from("a", firing));
    clock.forward(601);
    await sweep(deps);
    expect(await incident()).toMatchObject({ flapping: false, status: "investigating" });
    await send(from("a", over()));
    expect(await incident()).toMatchObject({ status: "resolved" });
  });

  it("is none when it ends now and then", async () => {
    for (let times = 0; times < 6; times += 1) {
      await turn();
      clock.forward(299);
    }
    expect(await messages()).not.toContain("flapping");
  });
});

describe("turns within one body", () => {
  const turns = (count: number, end: Notice = { status: "resolved" }) =>
    from("a", ...Array.from({ length: count }, (_, n) => (n % 2 ? end : firing)));

  it("are counted each, and told as flapping, for the price of a few", async () => {
    const counts: number[] = [];
    for (const count of [400, 4_000]) {
      await database.forget();
      let statements = 0;
      database.dbPool.on("acquire", (client) => {
        const query = client.query.bind(client);
        (client as { query: unknown }).query = (...args: unknown[]) => {
          statements += 1;
          return (query as (...all: unknown[]) => unknown)(...args);
        };
      });
      await send(turns(count));
      database.dbPool.removeAllListeners("acquire");
      counts.push(statements);
      expect(await incident()).toMatchObject({ flapping: true, hit_count: count / 2, flaps: count / 2 - 1 });
      expect(await outages()).toEqual(["1 resolved", `${count / 2} resolved`]);
      expect(await rows("select sum(deliveries)::int as n from alerts")).toEqual([{ n: count }]);
      const told = (await topics()).filter((topic) => !topic.startsWith("approval"));
      expect(told).toEqual(["opened", "resolved", "reopened", "flapping"]);
    }
    expect(counts[1]).toBeLessThanOrEqual((counts[0] as number) + 10);
  });

  it("leave what fires in the end firing", async () => {
    await send(turns(401));
    expect(await outages()).toEqual(["1 resolved", "201 firing"]);
    expect(await incident()).toMatchObject({ flapping: true, status: "investigating", hit_count: 201 });
    clock.forward(700);
    await sweep(deps);
    expect(await incident()).toMatchObject({ flapping: false, status: "investigating" });
  });

  it("are none where one end is said again and again", async () => {
    await send(turns(400, over()));
    expect(await outages()).toEqual(["1 resolved", "2 firing"]);
    expect(await incident()).toMatchObject({ flapping: false, hit_count: 2 });
  });

  it("of alerts of two receipts are those of the batch", async () => {
    await send(turns(40), turns(41));
    // What fires at the end of one body is over and begins again in the next.
    expect(await incident()).toMatchObject({ hit_count: 41, flapping: true });
  });
});

describe("the sweep", () => {
  it("brings back what was resolved by notice although a sender says that it fires", async () => {
    await send(from("a", firing));
    await send(from("a", over()));
    await rows("update alerts set status = 'firing', ends_at = null");
    clock.forward(61);
    await sweep(deps);
    expect(await incident()).toMatchObject({ status: "investigating", hit_count: 1 });
    expect(await topics()).toEqual(["opened", "resolved", "reopened"]);
    await sweep(deps);
    expect(await topics()).toHaveLength(3);
  });
});

/** What should come of notices of one alert, said another way: a list of outages that is walked through. */
class Model {
  readonly outages: { began: number; start: number; ended: number | null; said: Set<string> }[] = [];
  /** By sender, when its latest word of the end came. Emptied when an outage begins. */
  #over = new Map<string, number>();
  #end: number | null = null;
  #held: { began: number; start: number; by: Set<string> } | null = null;

  get open() {
    return this.outages.find((one) => one.ended === null);
  }
  get isHeld() {
    return this.#held !== null;
  }
  #begin(began: number, start: number, said: Set<string>) {
    this.outages.push({ began, start, ended: null, said });
    this.#held = null;
  }
  fires(at: number, start: number, by: string, replayed: boolean) {
    const old = this.#end !== null && at < Math.max(this.#end, this.#over.get(by) ?? -1);
    if (this.open !== undefined) {
      if (!old && !replayed) this.open.said.add(by);
    } else if (old) return;
    else if (this.#end === null || this.#over.has(by)) {
      this.#begin(
        this.#held?.began ?? at,
        this.#held?.start ?? start,
        new Set([...(this.#held?.by ?? []), by]),
      );
    } else if (this.#held === null) this.#held = { began: at, start, by: new Set([by]) };
    else if (!replayed) this.#held.by.add(by);
  }
  resolves(at: number, end: number, by: string, isSaid: boolean) {
    const one = this.open;
    const reaches = (outage: { began: number; start: number }) =>
      outage.start >= outage.began || outage.start <= end;
    const ends =
      one !== undefined &&
      at > one.began &&
      reaches(one) &&
      (!isSaid || end > (this.#ends.get(by) ?? Number.NEGATIVE_INFINITY)) &&
      (this.#end === null || one.said.has(by) || end >= Math.floor(this.#end));
    if (this.#held?.by.has(by) && at > this.#held.began) {
      this.#held.by.delete(by);
      if (this.#held.by.size === 0) this.#held = null;
    }
    if (ends) {
      one.ended = at;
      this.#end = at;
      this.#over = new Map([[by, at]]);
      this.#ends = new Map([[by, end]]);
    } else if (this.#end !== null || (one === undefined && this.outages.length === 0)) {
      this.#end ??= at;
      if (at > (this.#over.get(by) ?? -1) && end > (this.#ends.get(by) ?? -1e9)) {
        this.#over.set(by, at);
        this.#ends.set(by, end);
      }
    }
  }
  #ends = new Map<string, number>();
  sweep(now: number) {
    if (this.#held !== null && this.#held.began + 300 <= now - 5)
      this.#begin(this.#held.began, this.#held.start, this.#held.by);
  }
}

describe("any interleaving", () => {
  type Said = { alert: number; fires: boolean; start: number; end: number | "start" | "none" };
  type Step =
    | { kind: "send"; by: string; said: Said[]; keep: boolean }
    | { kind: "replay"; which: number }
    | { kind: "again"; which: number }
    | { kind: "pass"; seconds: number };

  const said: fc.Arbitrary<Said> = fc.record({
    alert: fc.constantFrom(0, 0, 0, 1),
    fires: fc.boolean(),
    // Seconds ago; 3,600 is the start that Prometheus keeps, the others those of whoever lost its state.
    start: fc.constantFrom(-1, -1, 0, 40, 200),
    end: fc.oneof(fc.constantFrom("start" as const, "none" as const), fc.constantFrom(0, 20, 90, 400)),
  });
  const step: fc.Arbitrary<Step> = fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({
        kind: fc.constant("send" as const),
        by: fc.constantFrom("a", "b"),
        said: fc.array(said, { minLength: 1, maxLength: 3 }),
        keep: fc.boolean(),
      }),
    },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant("replay" as const), which: fc.nat() }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant("again" as const), which: fc.nat() }) },
    {
      weight: 3,
      arbitrary: fc.record({
        kind: fc.constant("pass" as const),
        seconds: fc.constantFrom(1, 20, 120, 310, 700),
      }),
    },
  );

  it("of two replicas, lost states, breaks, batches and dead letters is told as a small model says", async () => {
    const run = async (steps: Step[]) => {
      await database.forget();
      clock = setClock();
      const made = testPipelineDeps(database, clock);
      const { correlation, windows } = made;
      deps = {
        ...made,
        correlation: { ...correlation, enabled: false },
        windows: { ...windows, flapping: { ends: 1_000, within: 1 } },
      };
      await beginHeldOutages(deps);
      const begin = clock.now().getTime();
      // As the receipts tell the time: to the millisecond, and in their order within one.
      const seconds = () => (clock.now().getTime() - begin) / 1000;
      const models = [new Model(), new Model()];
      const told = [0, 0];
      const sent: { letter: Letter; words: (replayed: boolean) => void }[] = [];
      const dead: typeof sent = [];
      const model = (alert: number, change: (one: Model) => void) => {
        const one = models[alert]!;
        const before = one.outages.length;
        change(one);
        told[alert]! += one.outages.length - before;
      };
      for (const one of steps) {
        if (one.kind === "pass") {
          for (let left = one.seconds; left > 0; left -= 30) {
            clock.forward(Math.min(left, 30));
            for (const alert of [0, 1]) model(alert, (its) => its.sweep(seconds()));
            await beginHeldOutages(deps);
          }
        } else if (one.kind === "send") {
          const now = clock.now();
          const ago = (time: number) => addSeconds(now, -time);
          const notices = one.said.map(({ alert, fires, start, end }) => {
            const starts = start < 0 ? new Date(START) : ago(start);
            const ends = end === "start" ? starts : end === "none" ? null : ago(end);
            return { alert, fires, starts, ends };
          });
          const letter = await journalled(
            from(
              one.by,
              ...notices.map(({ alert, fires, starts, ends }): Notice => {
                const startsAt = starts.toISOString();
                const name = `Alert${alert}`;
                if (fires) return { status: "firing", name, startsAt };
                return {
                  status: "resolved",
                  name,
                  startsAt,
                  ...(ends === null ? {} : { endsAt: ends.toISOString() }),
                };
              }),
            ),
          );
          const received = seconds();
          const words = (replayed: boolean) => {
            notices.forEach(({ alert, fires, starts, ends }, index) => {
              // A body's notices have their order, and what is said in one second has that of the receipts.
              const at = received + letter.receipt.seq * 1e-5 + index * 1e-7;
              const since = (time: Date) => (time.getTime() - begin) / 1000;
              const end = ends === null || ends < starts ? received : since(ends);
              const start = since(starts) >= received ? at : since(starts);
              if (fires) model(alert, (its) => its.fires(at, start, one.by, replayed));
              else model(alert, (its) => its.resolves(at, end, one.by, ends !== null && ends >= starts));
            });
          };
          if (one.keep) {
            await rows("update receipts set state = 'dead' where seq = $1", [letter.receipt.seq]);
            dead.push({ letter, words });
          } else {
            words(false);
            await understand(letter);
            sent.push({ letter, words });
          }
        } else if (one.kind === "replay" && dead.length > 0) {
          const [{ letter, words }] = dead.splice(one.which % dead.length, 1) as [(typeof dead)[number]];
          await rows("update receipts set state = 'received', replays = 1 where seq = $1", [
            letter.receipt.seq,
          ]);
          words(true);
          await understand({ ...letter, receipt: { ...letter.receipt, replays: 1 } });
        } else if (one.kind === "again" && sent.length > 0) {
          // The same receipt once more, as after a crash between understanding it and saying so.
          const { letter } = sent[one.which % sent.length]!;
          await understand(letter);
        }
        for (const [alert, its] of models.entries()) {
          const name = `Alert${alert}`;
          const found = await rows<{ status: string; outage: number }>(
            "select status, outage from alerts where alert_name = $1 and outage > 0 order by outage",
            [name],
          );
          const expected = its.outages.map((_, at) =>
            its.outages[at]?.ended === null ? "firing" : "resolved",
          );
          expect(found.map((row) => row.status)).toEqual([...expected, ...(its.isHeld ? ["held"] : [])]);
          const [counted] = await rows<{ hits: number | null; told: number; active: number }>(
            `select sum(hit_count)::int as hits, count(*) filter (where status = 'investigating')::int as active,
                    (select count(*)::int from outbox o join incidents i using (incident_id)
                      where i.title like $1 and o.topic in ('incident.opened', 'incident.reopened')) as told
               from incidents where title like $1`,
            [`${name}:%`],
          );
          expect(counted).toEqual({
            hits: its.outages.length === 0 ? null : its.outages.length,
            told: told[alert],
            active: its.open === undefined ? 0 : 1,
          });
        }
      }
    };
    await fc.assert(fc.asyncProperty(fc.array(step, { minLength: 6, maxLength: 20 }), run), {
      seed: SEED,
      numRuns: 60,
    });
  });
});

describe("an alert that comes by two routes", () => {
  const labels = {
    alertname: "HighCPUUsage",
    severity: "warning",
    deployment: "api",
    instance: "10.0.0.7:9090",
  };
  /** What Prometheus sends straight here, as to an Alertmanager. */
  const straight = (endsIn: number, startsAt = START): Sent => ({
    source: "prometheus",
    sender: "10.0.0.2",
    body: [{ labels, annotations: {}, startsAt, endsAt: addSeconds(clock.now(), endsIn).toISOString() }],
  });
  /** The same as an Alertmanager passes it on. */
  const passedOn = (notice: Notice, more: Record<string, string> = {}): Sent => ({
    source: "alertmanager",
    sender: "10.0.0.1",
    body: {
      version: "4",
      externalURL: "http://alertmanager:9093",
      alerts: [
        { startsAt: START, ...notice, labels: { ...labels, ...more }, fingerprint: `f-${more.slo ?? ""}` },
      ],
    },
  });
  const often = async () => {
    const { anomaly_key = "" } = ((await incident()) ?? {}) as { anomaly_key?: string };
    return (await frequencies(deps.as("intake"), [anomaly_key]))(anomaly_key).count_1h;
  };

  it.each([
    ["straight first", () => [straight(240), passedOn(firing)]],
    ["passed on first", () => [passedOn(firing), straight(240)]],
  ])("counts once, %s, one after the other or at once", async (_, both) => {
    for (const one of both()) await send(one);
    expect(await incident()).toMatchObject({ hit_count: 1 });
    expect(await often()).toBe(1);
    await send(straight(-1), passedOn(over()));
    expect(await incident()).toMatchObject({ status: "resolved", hit_count: 1 });
    clock.forward(7_200);
    await send(...both());
    expect(await incident()).toMatchObject({ status: "investigating", hit_count: 1 });
    expect(await often()).toBe(1);
    expect(await topics()).toEqual(["opened", "resolved", "opened"]);
  });

  it("counts each time that it really comes back, which one of the routes may not hear of", async () => {
    await send(straight(240));
    await send(passedOn(firing));
    await send(straight(-1));
    // The other waits for its next turn to tell: until then it goes on by what it said.
    expect(await incident()).toMatchObject({ status: "investigating" });
    await send(straight(240, clock.now().toISOString()));
    expect(await incident()).toMatchObject({ hit_count: 2 });
    expect(await often()).toBe(2);
    await send(passedOn(over()), straight(-1));
    expect(await incident()).toMatchObject({ status: "resolved" });
    await send(passedOn(firing));
    await send(straight(240, clock.now().toISOString()));
    expect(await incident()).toMatchObject({ hit_count: 3 });
    expect(await often()).toBe(3);
  });

  it("does not flap for being told of twice", async () => {
    for (let turn = 0; turn < 2; turn += 1) {
      const startsAt = clock.now().toISOString();
      await send(straight(240, startsAt));
      await send(passedOn({ ...firing, startsAt }));
      await send(straight(-1, startsAt));
      await send(passedOn({ ...over(), startsAt }));
    }
    expect(await incident()).toMatchObject({ flapping: false, hit_count: 2, status: "resolved" });
  });

  it.each([
    ["a person", "person", START],
    ["a verified repair, and it began later", "repair", "later"],
  ] as const)(
    "comes to people when what the other route says was resolved by %s",
    async (_, through, began) => {
      await send(straight(86_400));
      const { incident_id } = (await incident()) as { incident_id: string };
      await resolve(deps.as("pipeline"), { incident_id, through });
      clock.forward(6);
      const startsAt = began === START ? START : clock.now().toISOString();
      await send(passedOn({ ...firing, startsAt }));
      expect(await incident()).toMatchObject({ status: "investigating", hit_count: 2 });
      expect((await topics()).at(-1)).toMatch(/opened$/);
    },
  );

  it("says nothing new when it is late, of what began before a repair that was verified", async () => {
    await send(straight(86_400));
    const { incident_id } = (await incident()) as { incident_id: string };
    await resolve(deps.as("pipeline"), { incident_id, through: "repair" });
    clock.forward(6);
    await send(passedOn(firing));
    expect(await incident()).toMatchObject({ status: "resolved", hit_count: 1 });
  });

  it("is two where the labels say so, or where one source says it twice", async () => {
    await send(straight(240));
    await send(passedOn(firing, { slo: "latency" }));
    expect(await often()).toBe(2);
    await send(passedOn(firing, { slo: "errors" }));
    expect(await often()).toBe(3);
  });
});
