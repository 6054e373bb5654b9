import { execFile } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Alertmanager, startAlertmanager } from "../support/alertmanager.ts";
import { incidentIn, startTestApp } from "../support/app.ts";
import { createDatabase, type TestDatabase } from "../support/database.ts";
import { clearFolder, temporaryFolder } from "../support/folder.ts";
import { amtoolBinary } from "../support/prepare.ts";
import { startPrometheus } from "../support/prometheus.ts";
import { eventually, until } from "../support/until.ts";

const BEARER = "a-bearer-token-of-a-sender";
const BASIC = { username: "alertmanager", password: "a-password-of-a-sender" };

let database: TestDatabase;
let folder: string;
let app: Awaited<ReturnType<typeof startTestApp>>;
const ends: (() => Promise<void>)[] = [];

beforeAll(async () => {
  database = await createDatabase();
  folder = await temporaryFolder("real-clients");
  const senders = { trusted_networks: [], bearer_tokens: [BEARER], basic: [BASIC] };
  app = await startTestApp(database.url, folder, { intake: { answer_wait: "2m", ...senders } });
  await writeFile(
    join(folder, "http.yml"),
    JSON.stringify({ authorization: { type: "Bearer", credentials: BEARER } }),
  );
});
afterAll(async () => {
  for (const end of ends.reverse()) await end();
  await app?.stop();
  await database?.drop();
  await clearFolder(folder);
});

/** The incident of the alert with this name, once there is one. */
function incidentOf(alertname: string): Promise<string> {
  return until(async () => {
    const { items } = await app.admin.get<{ items: { incident_id: string; title: string }[] }>("/incidents");
    return items.find((one) => one.title.startsWith(`${alertname}:`))?.incident_id;
  }, `the incident of ${alertname}`);
}

async function refusals(reason: string): Promise<number> {
  const page = await (await fetch(`${app.url}/metrics`)).text();
  const line = `awoooi_requests_refused_total{part="webhook",reason="${reason}"}`;
  return Number(
    page
      .split("\n")
      .find((one) => one.startsWith(line))
      ?.slice(line.length) ?? 0,
  );
}

// Side by side: each waits for programs of its own.
describe.concurrent("a real client from outside of the trusted networks", () => {
  async function alertmanager(name: string, http_config: object): Promise<Alertmanager> {
    const hook = `${app.url}/api/v1/webhooks/alertmanager`;
    const started = await startAlertmanager(join(folder, name), hook, undefined, http_config);
    ends.push(() => started.stop());
    return started;
  }

  it.each([
    ["a bearer token", "BearerDown", { authorization: { type: "Bearer", credentials: BEARER } }],
    ["basic credentials", "BasicDown", { basic_auth: BASIC }],
  ])("Alertmanager with %s is heard", async (_what, alertname, http_config) => {
    const sender = await alertmanager(alertname, http_config);
    const startsAt = new Date().toISOString();
    await sender.alert({ alertname, service: alertname, severity: "warning" }, { startsAt });
    const incident_id = await incidentOf(alertname);
    await sender.alert(
      { alertname, service: alertname, severity: "warning" },
      { startsAt, endsAt: new Date().toISOString() },
    );
    await incidentIn(app.admin, incident_id, "resolved");
  });

  /** The outages of an alert, and what people were told of its incident. */
  async function course(alertname: string): Promise<{ outages: string[]; told: string[] }> {
    const { rows } = await database.pool.query<{ outages: string[]; told: string[] }>(
      `select array(select outage || ' ' || status from alerts where alert_name = $1 order by outage) as outages,
              array(select o.topic from outbox o join incidents i using (incident_id)
                     where i.title like $1 || ':%' and o.topic ~ '^incident.(opened|resolved|reopened)$' order by o.seq) as told`,
      [alertname],
    );
    return rows[0]!;
  }
  const WITH_BEARER = { authorization: { type: "Bearer", credentials: BEARER } };

  it("Alertmanager whose Prometheus is cut off and back tells the second outage, with the start of the first", async () => {
    const alertname = "CutOff";
    const sender = await alertmanager(alertname, WITH_BEARER);
    const target = { static_configs: [{ targets: [new URL(sender.url).host] }] };
    const labels = { service: alertname, severity: "warning" };
    const rules = [{ alert: alertname, expr: "vector(1) > 0", labels }];
    const prometheus = await startPrometheus(join(folder, "cut-off"), target, rules);
    ends.push(() => prometheus.stop());
    const incident_id = await incidentOf(alertname);
    const resume = prometheus.suspend();
    try {
      // What it is not sent for 4 s Alertmanager takes for over, and says so.
      await incidentIn(app.admin, incident_id, "resolved");
    } finally {
      resume();
    }
    // A machine that is busy for seconds cuts it off again.
    await eventually(async () => {
      const { outages, told } = await course(alertname);
      expect(outages[0]).toBe("1 resolved");
      expect(outages.at(-1)).toMatch(/^[2-9] firing$/);
      expect(told.slice(0, 3)).toEqual(["incident.opened", "incident.resolved", "incident.reopened"]);
    });
    const { rows } = await database.pool.query(
      "select count(distinct starts_at)::int as starts from alerts where alert_name = $1",
      [alertname],
    );
    expect(rows).toEqual([{ starts: 1 }]);
  });

  it("two Alertmanagers of a pair are one alert, whose end either tells and neither takes back by being late", async () => {
    const alertname = "OfAPair";
    const labels = { alertname, service: alertname, severity: "warning" };
    const [one, other] = await Promise.all([
      alertmanager("pair-one", WITH_BEARER),
      alertmanager("pair-other", WITH_BEARER),
    ]);
    const began = { startsAt: new Date(Date.now() - 60_000).toISOString() };
    const begunLater = { startsAt: new Date(Date.now() - 30_000).toISOString() };
    await Promise.all([one.alert(labels, began), other.alert(labels, begunLater)]);
    const incident_id = await incidentOf(alertname);
    await until(async () => {
      const { rows } = await database.pool.query(
        "select 1 from alerts where alert_name = $1 and cardinality(senders) = 2",
        [alertname],
      );
      return rows.length === 1;
    }, "both to have said so");
    const ends = () => ({ endsAt: new Date().toISOString() });
    await one.alert(labels, { ...began, ...ends() });
    await incidentIn(app.admin, incident_id, "resolved");
    // The other goes on saying so, each second.
    await eventually(async () => expect((await course(alertname)).outages).toEqual(["1 resolved", "2 held"]));
    await other.alert(labels, { ...begunLater, ...ends() });
    await eventually(async () => expect((await course(alertname)).outages).toEqual(["1 resolved"]));
    expect((await course(alertname)).told).toEqual(["incident.opened", "incident.resolved"]);
    const again = { startsAt: new Date().toISOString() };
    await Promise.all([one.alert(labels, again), other.alert(labels, again)]);
    await eventually(async () =>
      expect(await course(alertname)).toEqual({
        outages: ["1 resolved", "2 firing"],
        told: ["incident.opened", "incident.resolved", "incident.reopened"],
      }),
    );
  });

  it.each([
    ["a wrong password", "unauthenticated", { basic_auth: { ...BASIC, password: "a-password-of-another" } }],
    ["no credentials", "untrusted_sender", {}],
  ])("Alertmanager with %s is refused, and counted", async (_what, reason, http_config) => {
    const before = await refusals(reason);
    const sender = await alertmanager(reason, http_config);
    await sender.alert({ alertname: `Refused-${reason}` }, { startsAt: new Date().toISOString() });
    await until(async () => (await refusals(reason)) > before, "the refusal to be counted");
    const { rows } = await database.pool.query("select 1 from alerts where alert_name like 'Refused%'");
    expect(rows).toEqual([]);
  });

  it("Prometheus fires, its rule stops firing or is removed, and the incidents are over", async () => {
    // Of services of their own: of one they are one trouble.
    const labels = (service: string) => ({ severity: "warning", service });
    const rule = (alert: string, expr: string) => ({ alert, expr, labels: labels(alert) });
    const { host } = new URL(app.url);
    const target = { static_configs: [{ targets: [host] }], basic_auth: BASIC };
    const prometheus = await startPrometheus(join(folder, "prometheus"), target, [
      rule("RuleStops", "vector(1) > 0"),
      rule("RuleIsRemoved", "vector(1) > 0"),
    ]);
    ends.push(() => prometheus.stop());
    const [stops, removed] = await Promise.all(["RuleStops", "RuleIsRemoved"].map(incidentOf));
    const deliveries = async (alertname: string) => {
      const { rows } = await database.pool.query("select deliveries n from alerts where alert_name = $1", [
        alertname,
      ]);
      return rows.map((row) => row.n as number);
    };
    await until(async () => ((await deliveries("RuleIsRemoved"))[0] ?? 0) > 1, "it to be sent again");
    expect(await deliveries("RuleIsRemoved")).toHaveLength(1);
    await prometheus.reload([rule("RuleStops", "vector(1) > 1")]);
    await Promise.all([stops, removed].map((id) => incidentIn(app.admin, id as string, "resolved")));
    const { items } = await app.admin.get<{ items: { text: string }[] }>(`/incidents/${removed}/timeline`);
    expect(items.map((one) => one.text).join()).toContain("no longer sent");
  });

  it("amtool adds an alert, sees it, ends it, and adds one that ends by itself", async () => {
    const binary = amtoolBinary();
    if (binary === undefined) throw new Error("there is no amtool: run `node test/support/prepare.ts`");
    const { token } = await app.admin.post<{ token: string }>("/tokens", { name: "amy", role: "viewer" });
    const basic_auth = { username: "amy", password: token };
    await writeFile(join(folder, "reader.yml"), JSON.stringify({ basic_auth }));
    const amtool = async (...args: string[]) => {
      const config = join(folder, args[1] === "query" ? "reader.yml" : "http.yml");
      const to = [`--alertmanager.url=${app.url}`, `--http.config.file=${config}`];
      return (await promisify(execFile)(binary, [...args, ...to])).stdout;
    };
    const named = (name: string) => [`alertname=${name}`, `service=${name}`, "severity=critical"];
    const soon = () => new Date(Date.now() + 5_000).toISOString();
    await amtool("alert", "add", ...named("AddedByHand"), "--annotation=summary=the disk is full");
    await amtool("alert", "add", ...named("EndsByItself"), "--end", soon());
    const [added, ends] = await Promise.all(["AddedByHand", "EndsByItself"].map(incidentOf));
    expect(await app.admin.get(`/incidents/${added}`)).toMatchObject({
      title: "AddedByHand: the disk is full",
      severity: "P0",
    });
    const seen = await amtool("alert", "query", 'alertname=~"Added.+"', "service=AddedByHand", "-o", "json");
    expect(JSON.parse(seen)).toMatchObject([
      { labels: { alertname: "AddedByHand" }, annotations: { summary: "the disk is full" } },
    ]);
    expect(await amtool("alert", "query", "alertname=Nothing")).not.toContain("AddedByHand");
    await amtool("alert", "add", ...named("AddedByHand"), "--end", new Date().toISOString());
    await Promise.all([added, ends].map((id) => incidentIn(app.admin, id as string, "resolved")));
  });

  describe("a reader", () => {
    const READS = ["alerts", "status", "receivers", "silences"];
    const ask = async (path: string, headers: Record<string, string> = {}) =>
      (await fetch(`${app.url}/api/v2/${path}`, { headers })).status;
    const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
    const basic = (user: string, password: string) => ({
      authorization: `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`,
    });
    const viewer = async (name: string) =>
      (await app.admin.post<{ token: string }>("/tokens", { name, role: "viewer" })).token;

    it("needs a person's token, as bearer or as a password, and what senders have is none", async () => {
      const token = await viewer("eve");
      for (const path of READS) {
        expect(await ask(path)).toBe(401);
        for (const wrong of [
          bearer("of-nobody-that-is-known"),
          bearer(BEARER),
          basic(BASIC.username, BASIC.password),
        ])
          expect([path, await ask(path, wrong)]).toEqual([path, 401]);
        for (const right of [bearer(token), basic("anybody", token)])
          expect([path, await ask(path, right)]).toEqual([path, 200]);
      }
      expect(await ask("alerts?filter=a%3D%7E%22(%22", bearer(token))).toBe(422);
    });
  });
});
