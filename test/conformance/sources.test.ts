import fc from "fast-check";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { RunningApp } from "../../src/app/app.ts";
import { configSchema } from "../../src/app/config/schema.ts";
import { createAdapters } from "../../src/app/create-adapters.ts";
import type { Source } from "../../src/intake/index.ts";
import { silentLog } from "../../src/lib/log.ts";
import { startTestApp } from "../support/app.ts";
import { createDatabase, type TestDatabase } from "../support/database.ts";
import { clearFolder, temporaryFolder } from "../support/folder.ts";
import { describedText } from "../support/openapi.ts";
import { SEED, seededRandom } from "../support/random.ts";
import { until } from "../support/until.ts";
import { dotted, pathsOf, withField } from "./fields.ts";
import { type Notice, SETTINGS, type SourceFixture, type Status } from "./fixture.ts";
import { FIXTURES } from "./fixtures/index.ts";

const { sources } = createAdapters(configSchema.parse(SETTINGS), {
  state_dir: "/nonexistent",
  print: () => {},
  log: silentLog,
});

let database: TestDatabase;
let folder: string;
let app: RunningApp;
let count = 0;
let since: Date;

beforeEach(() => {
  since = new Date();
});
beforeAll(async () => {
  database = await createDatabase();
  folder = await temporaryFolder("conformance");
  app = await startTestApp(database.url, folder, SETTINGS);
});
afterAll(async () => {
  await app.stop();
  await database.drop();
  await clearFolder(folder);
});

/** A text that nothing else has. */
const fresh = () => {
  count += 1;
  return `subject-${count}-end`;
};

/** Posts a body as the source does; the answer is the one that is documented, and never another. */
async function send(
  { path, headers, status = 200, invalid = status }: SourceFixture,
  body: unknown,
): Promise<void> {
  const bytes = Buffer.isBuffer(body) ? body : Buffer.from(JSON.stringify(body));
  const whole = path.startsWith("/api/") ? path : `/api/v1/webhooks${path}`;
  const response = await fetch(`${app.url}${whole}`, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers?.(bytes) },
    body: bytes,
  });
  const text = await describedText("POST", response);
  expect([status, invalid], text.slice(0, 500)).toContain(response.status);
}

/** Several at once, as senders do; not so many that some are understood only later. */
async function sendAll(fixture: SourceFixture, bodies: readonly unknown[]): Promise<void> {
  for (let at = 0; at < bodies.length; at += 8)
    await Promise.all(bodies.slice(at, at + 8).map((body) => send(fixture, body)));
  await until(async () => {
    const { rows } = await database.pool.query("select 1 from receipts where state = 'received' limit 1");
    return rows.length === 0;
  }, "every receipt to be understood");
}

type Row = { status: string; incident: string | null; hit_count: number | null; texts: string };

/** The alerts of this test about a subject, with the state of their incidents. */
async function alertsAbout(subject: string): Promise<Row[]> {
  const { rows } = await database.pool.query<Row>(
    `select a.status, i.status as incident, i.hit_count, a.labels::text || a.annotations::text as texts
       from alerts a left join incidents i using (incident_id)
      where a.first_received_at >= $2
        and position($1 in concat(a.labels, a.annotations, a.target_resource, a.message, a.generator_url)) > 0
      order by a.first_received_at`,
    [subject, since],
  );
  return rows;
}
const statesOf = async (subject: string) => (await alertsAbout(subject)).map((row) => row.status);

async function deadLetters(): Promise<string[]> {
  const { rows } = await database.pool.query<{ error: string }>(
    "select error from receipts where state = 'dead'",
  );
  return rows.map((row) => row.error);
}

const ODD_TIMES: unknown[] = [
  "0001-01-01T00:00:00Z",
  "1969-12-31T23:59:59Z",
  "1970-01-01T00:00:00Z",
  "9999-12-31T23:59:59Z",
  "+275760-09-13T00:00:00Z",
  "2026-02-30T25:61:00Z",
  "2026-05-04T09:00:00.123456789+14:00",
  "yesterday",
  "",
  0,
  -1,
  1e300,
  null,
  {},
];
const hoursFromNow = (hours: number) => new Date(Date.now() + hours * 3_600_000).toISOString();

const ODD_TEXTS = [
  "a\u0000b",
  "\ud800 half of a pair \udc00",
  "\u202eright to left\u202c עברית العربية",
  "\u{1f525}\u{1f469}\u200d\u{1f692} e\u0301\u0323 \u00df \u0130",
  "'; drop table alerts; -- $(reboot) {{7*7}} <script>",
  '\\u0000 \\ " \r\n\t \u2028 \ufeff \uffff',
  "__proto__",
];

const ODD_VALUES: unknown[] = [null, 5, -1.5, true, "", "\ud800", [], [null], {}, { a: { b: [1] } }];

/** Whether every text and time of its alerts can be stored. */
function decodesSoundly(source: Source, body: unknown): void {
  const decoded = source.decode(JSON.parse(JSON.stringify(body)));
  if (!decoded.ok) expect(decoded.reason).not.toBe("");
  for (const alert of decoded.ok ? decoded.alerts : []) {
    expect(["firing", "resolved"]).toContain(alert.status);
    for (const at of [alert.starts_at, alert.ends_at]) expect(at?.getTime()).not.toBeNaN();
    const { labels, annotations, source_fingerprint, generator_url, target_resource } = alert;
    const said = [...Object.entries(labels), ...Object.entries(annotations)].flat();
    for (const text of [...said, source_fingerprint, generator_url, target_resource ?? "", alert.workload])
      expect((text ?? "").isWellFormed() && !text?.includes("\0")).toBe(true);
  }
}

describe("the sources", () => {
  it("are all shown to conform: a new one needs bodies in test/conformance/fixtures", () => {
    expect(Object.keys(FIXTURES).sort()).toEqual(sources.map((source) => source.id).sort());
    for (const fixtures of Object.values(FIXTURES)) expect(fixtures.length).toBeGreaterThan(0);
  });
});

const cases = sources.flatMap((source) =>
  (FIXTURES[source.id] ?? []).map((fixture) => [`${source.id}, ${fixture.name}`, source, fixture] as const),
);

describe.each(cases)("%s", (_name, source, fixture) => {
  it("counts two deliveries once, also at once, and the least body is an alert", async () => {
    const [subject, least] = [fresh(), fresh()];
    const body = fixture.body(subject, "firing");
    await sendAll(fixture, [body, body, body]);
    await sendAll(fixture, [body, fixture.minimal(least)]);
    expect(await alertsAbout(subject)).toMatchObject([
      { status: "firing", incident: "investigating", hit_count: 1 },
    ]);
    expect(await alertsAbout(least)).toMatchObject([{ status: "firing", incident: "investigating" }]);
  });

  it("ends an alert and its incident with the resolved notice, however often that comes", async () => {
    const [subject, unheard] = [fresh(), fresh()];
    await sendAll(fixture, [fixture.body(subject, "firing")]);
    const over = fixture.body(subject, "resolved");
    await sendAll(fixture, [over]);
    expect(await alertsAbout(subject)).toMatchObject([{ status: "resolved", incident: "resolved" }]);
    await sendAll(fixture, [over, over, fixture.body(unheard, "resolved")]);
    expect(await statesOf(subject)).not.toContain("firing");
    for (const { incident } of await alertsAbout(unheard)) expect(incident).toBeNull();
  });

  it("judges each alert by itself, in one call where it sends several", async () => {
    const [ending, going, beginning] = [fresh(), fresh(), fresh()];
    const together = (...notices: Notice[]) =>
      fixture.batch === undefined
        ? notices.map(({ subject, status }) => fixture.body(subject, status))
        : [fixture.batch(notices)];
    await sendAll(
      fixture,
      together({ subject: ending, status: "firing" }, { subject: going, status: "firing" }),
    );
    await sendAll(
      fixture,
      together(
        { subject: ending, status: "resolved" },
        { subject: going, status: "firing" },
        { subject: beginning, status: "firing" },
      ),
    );
    expect(await alertsAbout(ending)).toMatchObject([{ status: "resolved", incident: "resolved" }]);
    for (const subject of [going, beginning])
      expect(await alertsAbout(subject)).toMatchObject([{ status: "firing", incident: "investigating" }]);
  });

  it("misses no field that it could do without", async () => {
    const whole = fixture.body(fresh(), "firing");
    const lacking = pathsOf(whole).map((path) => [dotted(path), withField(whole, path, undefined)] as const);
    for (const [path, body] of lacking) {
      const decoded = source.decode(body);
      if (!fixture.needed.includes(path))
        expect([path, decoded]).toMatchObject([path, { ok: true, alerts: [{}], rejected: [] }]);
    }
    const before = await deadLetters();
    await sendAll(
      fixture,
      lacking.map(([, body]) => body),
    );
    expect((await deadLetters()).length - before.length).toBeLessThanOrEqual(fixture.needed.length);
  });

  it("takes fields of any type, and is never thrown off by one", async () => {
    const whole = fixture.body(fresh(), "firing");
    const paths = pathsOf(whole);
    const wrong = fc
      .tuple(fc.constantFrom(...paths), fc.oneof(fc.jsonValue(), fc.constantFrom(...ODD_VALUES)))
      .map(([path, value]) => withField(whole, path, value));
    fc.assert(
      fc.property(fc.oneof({ weight: 5, arbitrary: wrong }, fc.jsonValue()), (body) =>
        decodesSoundly(source, body),
      ),
      { seed: SEED, numRuns: 300 },
    );
    // More than an index takes, and nothing that could be made smaller.
    const long = seededRandom(`${SEED} long`)(3_000).toString("hex");
    await sendAll(
      fixture,
      paths.flatMap((path, index) => [
        withField(whole, path, ODD_VALUES[index % ODD_VALUES.length]),
        withField(whole, path, long),
      ]),
    );
    await sendAll(fixture, [...ODD_VALUES, [[]], [fixture.body(fresh(), "firing")]]);
  });

  it("takes words of any kind, as far as a database can hold them, and of a mebibyte, of which it keeps the beginning", async () => {
    const noise = seededRandom(`${SEED} noise`)(2 ** 19).toString("hex");
    const bodies = [noise, ...ODD_TEXTS].map((text) => {
      const subject = fresh();
      const body = fixture.worded(subject, text);
      decodesSoundly(source, body);
      return { subject, body };
    });
    const [large, ...small] = bodies;
    await sendAll(
      fixture,
      small.map(({ body }) => body),
    );
    for (const { subject } of small)
      expect([subject, await statesOf(subject)]).toEqual([subject, ["firing"]]);
    await sendAll(fixture, [large?.body]);
    expect(await alertsAbout(large?.subject ?? "")).toMatchObject([
      { status: "firing", texts: expect.stringContaining(noise.slice(0, 4_000)) },
    ]);
  });

  it("takes what is nested 10,000 deep, in a field and as the body", async () => {
    const deep = (open: string, inner: string, close: string) =>
      open.repeat(10_000) + inner + close.repeat(10_000);
    for (const nested of [deep("[", "", "]"), deep('{"a":', "1", "}")]) {
      const subject = fresh();
      const body = JSON.stringify(fixture.worded(subject, "@deep@")).replaceAll('"@deep@"', nested);
      const bodies = [body, nested, body.replace("{", `{"unknown":${nested},`)];
      await sendAll(
        fixture,
        bodies.map((text) => Buffer.from(text)),
      );
      expect(await statesOf(subject)).toEqual(["firing"]);
    }
  });

  it("takes clocks that are wrong and times that are none", async () => {
    const { timed = (subject: string, status: Status) => fixture.body(subject, status) } = fixture;
    const times = [...ODD_TIMES, hoursFromNow(-26), hoursFromNow(0.5), hoursFromNow(24 * 365)];
    const odd = times.map((time) => ({ time, subject: fresh() }));
    for (const status of ["firing", "resolved"] as const) {
      await sendAll(
        fixture,
        odd.map(({ time, subject }) => timed(subject, status, time)),
      );
      for (const { time, subject } of odd) expect([time, await statesOf(subject)]).toEqual([time, [status]]);
    }
  });
});

describe("after all of this", () => {
  it("nothing was lost, and no receipt is a dead letter for a reason of ours", async () => {
    const { rows } = await database.pool.query("select count(*)::int as n from receipts");
    expect(rows[0].n).toBeGreaterThan(500);
    for (const error of await deadLetters())
      expect(error).not.toMatch(/TypeError|RangeError|invalid input|violates|too (long|large)|index row/i);
  });
});
