import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { RunningApp } from "../../src/app/app.ts";
import type { Adapters } from "../../src/app/create-adapters.ts";
import { runCli } from "../../src/cli/index.ts";
import type { DeadLetter, DeadLetterWithBody } from "../../src/contract/dead-letter.ts";
import { deadLetterCounts, type Source } from "../../src/intake/index.ts";
import { ADMIN_TOKEN, type Client, incidentIn, person, startTestApp } from "../support/app.ts";
import { createDatabase, type TestDatabase } from "../support/database.ts";
import { clearFolder, temporaryFolder } from "../support/folder.ts";
import { until } from "../support/until.ts";

let database: TestDatabase;
let folder: string;
let app: RunningApp & { admin: Client };

/** Starts the app with its parsers as they are, or with what `breaks` makes of each. */
async function start(breaks: (source: Source) => Source["decode"] = ({ decode }) => decode): Promise<void> {
  const adapt = (adapters: Adapters): Adapters => ({
    ...adapters,
    sources: adapters.sources.map((source) => ({ ...source, decode: breaks(source) })),
  });
  app = await startTestApp(database.url, folder, {}, { adapt });
}
const restart = async () => {
  await app.stop();
  await start();
};

const throwing = () => () => {
  throw new Error("a bug in the parser");
};
/** Understands nothing but the first alert of a list. */
const halfBlind =
  ({ decode }: Source): Source["decode"] =>
  (body) => {
    const decoded = decode(body);
    if (!decoded.ok) return decoded;
    const [first, ...others] = decoded.alerts;
    return {
      ...decoded,
      alerts: first === undefined ? [] : [first],
      rejected: others.map(() => "not understood yet"),
    };
  };

beforeEach(async () => {
  database = await createDatabase();
  folder = await temporaryFolder("dead-letters");
});
afterEach(async () => {
  await app.stop();
  await database.drop();
  await clearFolder(folder);
});

async function send(body: unknown, path = "alerts", headers: Record<string, string> = {}) {
  const response = await fetch(`${app.url}/api/v1/webhooks/${path}`, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify(body),
  });
  expect(response.status).toBe(200);
  return (await response.json()) as { message: string; incident_id: string | null; hit_count: number };
}

const ALERT = { alert_type: "high_cpu", target_resource: "checkout", namespace: "prod" };
const OVER = { ...ALERT, status: "resolved" };

const listed = async (query = "") =>
  (await app.admin.get<{ items: DeadLetter[]; next_cursor: string | null }>(`/dead-letters${query}`)).items;
const shown = (id: string, client = app.admin) => client.get<DeadLetterWithBody>(`/dead-letters/${id}`);

/** Replays it and waits for what becomes of it. */
async function replayed(id: string): Promise<DeadLetter> {
  await app.admin.post(`/dead-letters/${id}/replay`);
  return until(async () => {
    const letter = await shown(id);
    return letter.state === "replaying" ? undefined : letter;
  }, `dead letter ${id} to be taken up`);
}

type Counts = { hit_count: number; status: string };
const incidents = async () => (await app.admin.get<{ items: Counts[] }>("/incidents")).items;
const counts = async () => (await incidents()).map(({ hit_count, status }) => [hit_count, status]);

describe("a receipt that broke a parser", () => {
  it("is understood by the mended one, and its alerts count once, however often and at once it is asked", async () => {
    await start(throwing);
    expect((await send([ALERT, ALERT])).message).toContain("dead letter");
    const [letter] = await listed();
    expect(letter).toMatchObject({
      source: "generic",
      state: "dead",
      error: "a bug in the parser",
      replays: 0,
    });
    const id = letter!.dead_letter_id;
    await restart();
    const paths = Array.from({ length: 5 }, () => `/dead-letters/${id}/replay`);
    const answers = await Promise.all(paths.map((path) => app.admin.call("POST", path)));
    expect(answers.map(({ status }) => status).sort()).toEqual([202, 409, 409, 409, 409]);
    await until(async () => (await shown(id)).state === "replayed", "the replay");
    expect(await shown(id)).toMatchObject({ error: null, replays: 1, alert_count: 2 });
    expect(await app.admin.call("POST", paths[0]!)).toMatchObject({
      status: 409,
      body: { code: "conflict" },
    });
    expect(await counts()).toEqual([[2, "investigating"]]);
    expect(await listed()).toEqual([]);
    const { rows } = await database.pool.query(
      "select actor, data from audit_entries where action = 'dead_letter.replayed'",
    );
    expect(rows).toEqual([
      { actor: "admin", data: { source: "generic", error: "a bug in the parser", replays: 1 } },
    ]);
  });

  it("stays dead when it is not understood again, with the new reason and the tries counted", async () => {
    await start(throwing);
    await send(ALERT);
    const id = (await listed())[0]!.dead_letter_id;
    await app.stop();
    await start(() => () => ({ ok: false, reason: "still not, for another reason" }));
    expect(await replayed(id)).toMatchObject({
      state: "dead",
      error: "still not, for another reason",
      replays: 1,
    });
    expect(await replayed(id)).toMatchObject({ state: "dead", replays: 2 });
    await restart();
    expect(await replayed(id)).toMatchObject({ state: "replayed", replays: 3 });
    expect(await counts()).toEqual([[1, "investigating"]]);
  });

  it("is one call with the same call that came after it, when both carry one key", async () => {
    await start(throwing);
    await send(ALERT, "alerts", { "idempotency-key": "retried" });
    const id = (await listed())[0]!.dead_letter_id;
    await restart();
    await send(ALERT, "alerts", { "idempotency-key": "retried" });
    await replayed(id);
    expect(await counts()).toEqual([[1, "investigating"]]);
  });

  it("is taken up also after a restart between the replay and its turn", async () => {
    await start(throwing);
    await send(ALERT);
    const id = (await listed())[0]!.dead_letter_id;
    await restart();
    await app.admin.post(`/dead-letters/${id}/replay`);
    await restart();
    await until(async () => (await shown(id)).state === "replayed", "the replay");
    expect(await counts()).toEqual([[1, "investigating"]]);
  });
});

describe("a receipt of which a part was understood", () => {
  const STARTED = { ...ALERT, startsAt: "2026-05-04T07:00:00Z" };
  const AM = { alerts: ["shop", "cart"].map((service) => ({ labels: { alertname: "Odd", service } })) };

  it.each([
    [
      "that says no start",
      [ALERT, ALERT, { ...ALERT, metrics: { cpu: 9 } }],
      "alerts",
      [[3, "investigating"]],
    ],
    ["that says when it began", [STARTED, STARTED, ALERT], "alerts", [[2, "investigating"]]],
    [
      "of Alertmanager",
      AM,
      "alertmanager",
      [
        [1, "investigating"],
        [1, "investigating"],
      ],
    ],
  ] as const)("counts each alert once %s", async (_what, body, path, expected) => {
    await start(halfBlind);
    await send(body, path);
    expect(await counts()).toEqual([[1, "investigating"]]);
    const [letter] = await listed();
    expect(letter).toMatchObject({ alert_count: 1, error: expect.stringContaining("not understood yet") });
    await restart();
    await replayed(letter!.dead_letter_id);
    expect(await counts()).toEqual(expected);
  });

  it.each(["alerts", "alertmanager"])("does not bring back what has ended since: %s", async (path) => {
    const one = path === "alerts" ? ALERT : { labels: { alertname: "Odd", service: "shop" } };
    await start(halfBlind);
    const { incident_id } = await send({ alerts: [one, one] }, path);
    await send({ alerts: [{ ...one, status: "resolved" }] }, path);
    await incidentIn(app.admin, incident_id as string, "resolved");
    const [letter] = await listed();
    await restart();
    await replayed(letter!.dead_letter_id);
    expect(await counts()).toEqual([[1, "resolved"]]);
  });
});

describe("a resolved notice that comes too late", () => {
  it.each(["alerts", "alertmanager"])("ends nothing that began after it: %s", async (path) => {
    const one = path === "alerts" ? ALERT : { labels: { alertname: "Odd", service: "shop" } };
    await start(throwing);
    await send({ alerts: [{ ...one, status: "resolved" }] }, path);
    const [letter] = await listed();
    await restart();
    await send({ alerts: [one] }, path);
    await replayed(letter!.dead_letter_id);
    expect(await counts()).toEqual([[1, "investigating"]]);
  });

  it("ends what began before it", async () => {
    await start();
    const { incident_id } = await send(ALERT);
    await app.stop();
    await start(throwing);
    await send(OVER);
    const [letter] = await listed();
    await restart();
    await replayed(letter!.dead_letter_id);
    await incidentIn(app.admin, incident_id as string, "resolved");
  });
});

describe("dead letters", () => {
  it("also come from what breaks later, and are replayed when that is mended", async () => {
    await start();
    await database.pool.query(`
      create function refuse() returns trigger language plpgsql as $$ begin raise exception 'no such day'; end $$;
      create trigger refuse before insert on alerts for each row execute function refuse()`);
    await send(ALERT);
    const letter = await until(async () => (await listed())[0], "the dead letter");
    expect(letter).toMatchObject({ error: "no such day", alert_count: 0 });
    await database.pool.query("drop trigger refuse on alerts");
    expect(await replayed(letter.dead_letter_id)).toMatchObject({ state: "replayed", alert_count: 1 });
    expect(await counts()).toEqual([[1, "investigating"]]);
  });

  it("are listed newest first, page by page and by source, and counted by source", async () => {
    await start();
    for (let n = 0; n < 3; n += 1) await send({ n });
    for (let n = 0; n < 2; n += 1) await send({ n }, "alertmanager");
    const all = await listed();
    expect(all.map(({ source }) => source)).toEqual([
      "alertmanager",
      "alertmanager",
      "generic",
      "generic",
      "generic",
    ]);
    const paged: string[] = [];
    let cursor: string | null = "";
    while (cursor !== null) {
      const query: string = `?limit=2${cursor === "" ? "" : `&cursor=${cursor}`}`;
      const page: { items: DeadLetter[]; next_cursor: string | null } = await app.admin.get(
        `/dead-letters${query}`,
      );
      paged.push(...page.items.map((one) => one.dead_letter_id));
      cursor = page.next_cursor;
    }
    expect(paged).toEqual(all.map((one) => one.dead_letter_id));
    expect(await listed("?source=generic")).toHaveLength(3);
    expect(await listed("?source=sentry")).toEqual([]);
    expect(await deadLetterCounts(database.ctx())).toEqual([
      { source: "alertmanager", count: 2 },
      { source: "generic", count: 3 },
    ]);
  });

  it("show their body to responders only, who alone may replay them", async () => {
    await start();
    await send({ token: "in-the-body" });
    const id = (await listed())[0]!.dead_letter_id;
    const viewer = await person(app, "vera", "viewer");
    const responder = await person(app, "rob", "responder");
    expect(await shown(id, viewer)).toMatchObject({ dead_letter_id: id, state: "dead", body: null });
    expect((await shown(id, responder)).body).toBe('{"token":"in-the-body"}');
    expect(await viewer.call("POST", `/dead-letters/${id}/replay`)).toMatchObject({ status: 403 });
    expect(await responder.call("POST", `/dead-letters/${id}/replay`)).toMatchObject({ status: 202 });
  });

  it("are none that were understood at once, nor what is not there", async () => {
    await start();
    await send(ALERT);
    const { rows } = await database.pool.query("select seq from receipts");
    for (const id of [rows[0].seq, 999, "INC-1", "9".repeat(30)]) {
      expect(await app.admin.call("GET", `/dead-letters/${id}`)).toMatchObject({ status: 404 });
      expect(await app.admin.call("POST", `/dead-letters/${id}/replay`)).toMatchObject({ status: 404 });
    }
  });

  it("are replayed by the CLI, all of a source, oldest first", async () => {
    await start(throwing);
    for (const body of [ALERT, OVER, ALERT]) await send(body);
    await send({ not: "for this" }, "alertmanager");
    await restart();
    let output = "";
    const awoooi = (...argv: string[]) =>
      runCli(["dead-letters", ...argv], {
        env: { AWOOOI_URL: app.url, AWOOOI_TOKEN: ADMIN_TOKEN },
        stdout: (text) => {
          output += text;
        },
        stderr: () => {},
        stdin: (async function* () {})(),
        isTTY: false,
      });
    expect(await awoooi("replay", "--all", "--source", "generic")).toBe(0);
    expect(output.match(/is parsed: 1 alert\./g)).toHaveLength(3);
    const [incident] = await incidents();
    expect(incident).toMatchObject({ hit_count: 2, status: "investigating" });
    expect((await listed()).map(({ source }) => source)).toEqual(["alertmanager"]);
    expect(await awoooi("replay", "--all")).toBe(1);
    expect(output).toContain("still fails: not a webhook of Alertmanager");
  });
});
