import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { localProcess } from "../../src/adapters/executors/local-process/index.ts";
import { createPool } from "../../src/db/client.ts";
import { startEmbeddedPostgres } from "../../src/db/embedded.ts";
import { silentLog } from "../../src/lib/log.ts";
import { alertmanagerBody, post } from "../support/alerts.ts";
import { approvalIn, QUICK } from "../support/app.ts";
import { freePort } from "../support/ports.ts";
import { type Server, startServer } from "../support/server.ts";
import { until } from "../support/until.ts";
import type { Moment, Stage } from "./moments.ts";

export type Report = { kills: (Moment & { journey: number })[]; acknowledged: number; violations: string[] };

type Shop = { name: string; probe: string };
type State = { status: string; executions: string[] };

const SERVICE = join(import.meta.dirname, "../../demo/service.ts");

/** Drives journeys through a server that is killed in the middle of each, and checks what must hold. */
export class Journeys {
  readonly #folder: string;
  readonly #entry: string | undefined;
  #settings: Record<string, unknown> = {};
  #shops: Shop[] = [];
  #server: Server | undefined;
  /** Label of every alert that was answered with 2xx. */
  #acknowledged = new Set<string>();
  #kills: Report["kills"] = [];

  /** `entry` is another main module than the shipped one: one with a planted bug. */
  constructor(folder: string, entry?: string) {
    this.#folder = folder;
    this.#entry = entry;
  }

  async run(moments: readonly Moment[]): Promise<Report> {
    await this.#prepare(moments.length);
    for (const [index, moment] of moments.entries()) await this.#journey(index, moment);
    const violations = await this.#check();
    return { kills: this.#kills, acknowledged: this.#acknowledged.size, violations };
  }

  /** Ends the processes that the journeys have left running. */
  async end(): Promise<void> {
    await this.#server?.kill();
    for (const shop of this.#shops) {
      const file = join(this.#folder, "data/processes", `${shop.name}.json`);
      const { pid } = JSON.parse(await readFile(file, "utf8").catch(() => "{}")) as { pid?: number };
      if (pid === undefined) continue;
      try {
        process.kill(pid, "SIGKILL");
      } catch {
        // It has ended by itself.
      }
    }
  }

  async #prepare(count: number): Promise<void> {
    const processes = [];
    for (let index = 0; index < count; index += 1) {
      const name = `shop-${index}`;
      const port = await freePort();
      const probe = `http://127.0.0.1:${port}/healthz`;
      const env = { PORT: String(port), DEMO_STARTS_FILE: join(this.#folder, "starts.jsonl") };
      processes.push({
        name,
        argv: [process.execPath, SERVICE],
        env,
        probe: { url: probe, timeout_ms: 300 },
      });
      this.#shops.push({ name, probe });
    }
    this.#settings = {
      ...QUICK,
      verification: { ...QUICK.verification, wait: "400ms", collect: "10s" },
      execution: { retry_wait: "300ms", max_per_hour: { total: 1_000, target: 1_000 } },
      server: { port: await freePort(), log_level: "warn" },
      notification: { terminal: false },
      processes,
    };
    await this.#start();
    const configs = processes.map((one) => localProcess.processConfig.parse(one));
    const state_dir = join(this.#folder, "data/processes");
    const local = localProcess.create({ processes: configs, state_dir }, { log: silentLog });
    await Promise.all(this.#shops.map((shop) => local.start(shop.name)));
    for (const shop of this.#shops)
      await until(async () => (await fetch(shop.probe)).ok, `${shop.name} to serve`);
  }

  async #start(): Promise<Server> {
    this.#server = await startServer(this.#folder, this.#settings, {}, this.#entry);
    return this.#server;
  }

  get #admin() {
    if (this.#server === undefined) throw new Error("the server is not running");
    return this.#server.admin;
  }

  async #kill(journey: number, moment: Moment): Promise<void> {
    await delay(moment.delay);
    await this.#server?.kill();
    this.#kills.push({ ...moment, journey });
    await this.#start();
  }

  /** Sends an alert until it is acknowledged, as Alertmanager does. */
  async #send(labels: Record<string, string>, startsAt: string): Promise<void> {
    await until(async () => {
      const { status } = await post(this.#server?.url ?? "", alertmanagerBody([{ labels, startsAt }]));
      return status === 200;
    }, `alert ${labels.journey} to be acknowledged`);
    this.#acknowledged.add(labels.journey ?? "");
  }

  async #journey(index: number, moment: Moment): Promise<void> {
    const shop = this.#shops[index] as Shop;
    const startsAt = new Date().toISOString();
    const at = (stage: Stage) => moment.stage === stage;
    await fetch(shop.probe.replace("/healthz", "/break"), { method: "POST" });
    const labels = {
      alertname: "ShopUnreachable",
      component: shop.name,
      severity: "warning",
      journey: String(index),
    };

    if (at("intake")) await Promise.all([this.#send(labels, startsAt), this.#kill(index, moment)]);
    else await this.#send(labels, startsAt);
    if (at("acknowledged") || at("preparation")) await this.#kill(index, moment);
    const incident_id = await until(() => this.#incidentOf(shop), `the incident of ${shop.name}`);
    await approvalIn(this.#admin, incident_id, "pending");
    if (at("waiting")) await this.#kill(index, moment);

    const approval = await approvalIn(this.#admin, incident_id, "pending");
    if (at("signing")) await Promise.all([this.#sign(approval), this.#kill(index, moment)]);
    else await this.#sign(approval);

    const states = { execution: ["running"], verification: ["verifying"], conclusion: ["success"] } as const;
    if (moment.stage in states) {
      const wanted: readonly string[] = states[moment.stage as keyof typeof states];
      const later = moment.stage === "conclusion" ? ["resolved"] : ["verifying", "success"];
      await until(async () => {
        const { status, executions } = await this.#state(incident_id);
        return [status, ...executions].some((state) => [...wanted, ...later].includes(state));
      }, `${moment.stage} of ${shop.name}`);
      await this.#kill(index, moment);
    }
    await until(
      async () => (await this.#state(incident_id)).status === "resolved",
      `${shop.name} to be resolved`,
      40,
    );
  }

  async #incidentOf(shop: Shop): Promise<string | undefined> {
    const { items } = await this.#admin.get<{ items: { incident_id: string }[] }>(
      `/incidents?service=${shop.name}`,
    );
    return items[0]?.incident_id;
  }

  async #state(incident_id: string): Promise<State> {
    const { status } = await this.#admin.get<{ status: string }>(`/incidents/${incident_id}`);
    const { items } = await this.#admin.get<{ items: { status: string }[] }>(
      `/incidents/${incident_id}/executions`,
    );
    return { status, executions: items.map((item) => item.status) };
  }

  /** Signs until the server says that it is signed, now or by the try that was cut off. */
  async #sign({ approval_id, plan_hash }: { approval_id: string; plan_hash: string }): Promise<void> {
    await until(async () => {
      const { status, body } = await this.#admin.call("POST", `/approvals/${approval_id}/approve`, {
        plan_hash,
      });
      const { code } = body as { code?: string };
      return status === 200 || code === "already_decided" || code === "already_signed";
    }, `${approval_id} to be signed`);
  }

  async #check(): Promise<string[]> {
    const audit = await this.#admin.get<{ broken_at: number | null }>("/audit/verify");
    const violations = audit.broken_at === null ? [] : [`the audit chain breaks at ${audit.broken_at}`];
    await this.#settled();
    await this.#server?.stop();
    const postgres = await startEmbeddedPostgres({ dataDir: join(this.#folder, "data"), log: silentLog });
    const pool = createPool(postgres.connection, silentLog);
    try {
      const rows = async <T>(sql: string) => (await pool.query(sql)).rows as T[];
      const alerts = await rows<{ journey: string; n: number }>(
        "select labels->>'journey' as journey, count(*)::int as n from alerts group by 1",
      );
      for (const journey of this.#acknowledged) {
        const n = alerts.find((row) => row.journey === journey)?.n ?? 0;
        if (n !== 1) violations.push(`the acknowledged alert ${journey} is there ${n} times`);
      }
      for (const row of await rows<{ title: string; hit_count: number; status: string }>(
        "select title, hit_count, status from incidents where hit_count <> 1 or status <> 'resolved'",
      )) {
        violations.push(`${row.title}: counted ${row.hit_count} times, ${row.status}`);
      }
      const [counts] = await rows<Record<string, number>>(`
        select (select count(*) from incidents)::int as incidents, (select count(*) from executions)::int as executions,
               (select count(*) from repair_records where success)::int as repairs,
               (select count(*) from resolutions where disposition = 'human_approved')::int as resolutions`);
      for (const [what, n] of Object.entries(counts ?? {})) {
        if (n !== this.#shops.length) violations.push(`${n} ${what} for ${this.#shops.length} journeys`);
      }
    } finally {
      await pool.end();
      await postgres.stop();
    }
    return [...violations, ...(await this.#starts())];
  }

  /** Every piece of durable work has ended well. */
  async #settled(): Promise<void> {
    await until(async () => {
      const { items } = await this.#admin.get<{ items: { outcome: unknown }[] }>("/incidents?limit=200");
      return items.every((incident) => incident.outcome !== null);
    }, "every disposition to be kept");
  }

  /** Each execution started its process once. */
  async #starts(): Promise<string[]> {
    const text = await readFile(join(this.#folder, "starts.jsonl"), "utf8");
    const starts = text
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as { execution_id: string | null });
    const counts = new Map<string, number>();
    for (const { execution_id: id } of starts) if (id) counts.set(id, (counts.get(id) ?? 0) + 1);
    const twice = [...counts].filter(([, n]) => n !== 1).map(([id, n]) => `${id} ran ${n} times`);
    return counts.size === this.#shops.length
      ? twice
      : [...twice, `${counts.size} executions have started a process`];
  }
}
