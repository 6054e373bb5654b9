import { Agent, request } from "node:http";
import type pg from "pg";
import { SENDERS as CREDENTIALS } from "../conformance/fixture.ts";
import { type Bench, startBench, WEBHOOK } from "./awoooi.ts";
import { fixed, print, table } from "./report.ts";
import { BASELINE, type Call, sourceLoads } from "./source-bodies.ts";
import { cpuSeconds, peakMemory } from "./usage.ts";

type Size = { alerts: number; fingerprints: number };

const SIZES: Size[] = [
  { alerts: 10_000, fingerprints: 50 },
  { alerts: 100_000, fingerprints: 5_000 },
];
// What Alertmanager puts into a body when a group is large; ours takes up to its size limit.
const BODY = 20;
const SENDERS = 16;
const FLOOR_BATCH = 1_000;

const at = "2026-05-04T08:00:00.000Z";

function alert(n: number, { fingerprints }: Size, run: number) {
  const workload = `svc-${run}-${n % fingerprints}`;
  const pod = `${workload}-${String(n).padStart(6, "0")}`;
  return {
    status: "firing",
    labels: {
      alertname: "KubePodCrashLooping",
      severity: "warning",
      namespace: "shop",
      deployment: workload,
      pod,
      cluster: "bench",
    },
    annotations: {
      summary: `Pod ${pod} is crash looping.`,
      runbook_url: "https://runbooks.example.org/kubepodcrashlooping",
    },
    startsAt: at,
    endsAt: "0001-01-01T00:00:00Z",
    fingerprint: `${run}${n.toString(16).padStart(15, "0")}`,
    generatorURL: "http://prometheus.example.org/graph?g0.expr=restarts",
  };
}

function bodies(size: Size, run: number): Buffer[] {
  return Array.from({ length: size.alerts / BODY }, (_, body) => {
    const alerts = Array.from({ length: BODY }, (_, n) => JSON.stringify(alert(body * BODY + n, size, run)));
    return Buffer.from(WEBHOOK.before + alerts.join(",") + WEBHOOK.after);
  });
}

function post(url: string, agent: Agent, { body, headers: own }: Call): Promise<number> {
  return new Promise((resolve, reject) => {
    const headers = { "content-type": "application/json", "content-length": body.length, ...own };
    const call = request(url, { method: "POST", agent, headers }, (answer) => {
      answer.resume().once("end", () => resolve(answer.statusCode ?? 0));
    });
    call.once("error", reject).end(body);
  });
}

/** Sends every body until it is acknowledged, as Alertmanager does; returns how often it had to send again. */
async function send(url: string, list: readonly Call[]): Promise<number> {
  const agent = new Agent({ keepAlive: true, maxSockets: SENDERS });
  let next = 0;
  let again = 0;
  const sender = async () => {
    for (let at = next++; at < list.length; at = next++) {
      for (;;) {
        const status = await post(url, agent, list[at] as Call);
        if (status < 300) break;
        if (status < 500) throw new Error(`a genuine call was answered ${status}`);
        again += 1;
      }
    }
  };
  await Promise.all(Array.from({ length: SENDERS }, sender));
  agent.destroy();
  return again;
}

/** The floor: the same alerts, upserted in batches by one connection that does nothing else. */
async function upsert(pool: pg.Pool, size: Size, run: number): Promise<number> {
  await pool.query(`create table bench_floor (instance_key text primary key, fingerprint text not null, labels jsonb not null,
    annotations jsonb not null, starts_at timestamptz not null, deliveries int not null default 1)`);
  const began = performance.now();
  for (let first = 0; first < size.alerts; first += FLOOR_BATCH) {
    const rows = Array.from({ length: FLOOR_BATCH }, (_, n) => {
      const { fingerprint, labels, annotations, startsAt } = alert(first + n, size, run);
      return {
        instance_key: fingerprint,
        fingerprint: labels.deployment,
        labels,
        annotations,
        starts_at: startsAt,
      };
    });
    await pool.query(
      `insert into bench_floor select instance_key, fingerprint, labels, annotations, starts_at, 1
         from json_to_recordset($1::json) as a(instance_key text, fingerprint text, labels jsonb, annotations jsonb, starts_at timestamptz)
       on conflict (instance_key) do update set deliveries = bench_floor.deliveries + 1`,
      [JSON.stringify(rows)],
    );
  }
  const seconds = (performance.now() - began) / 1000;
  await pool.query("drop table bench_floor");
  return size.alerts / seconds;
}

async function totals(bench: Bench) {
  const { rows } = await bench.pool.query<Record<string, string>>(`
    select (select count(*) from incidents) incidents, (select count(*) from decisions) decisions,
           (select count(*) from incidents where merged_into is null) main,
           (select count(*) from outbox) outbox, (select count(*) from alerts) alerts,
           (select coalesce(sum(deliveries), 0) from alerts) deliveries,
           pg_database_size(current_database()) size`);
  return Object.fromEntries(Object.entries(rows[0] ?? {}).map(([name, value]) => [name, Number(value)]));
}

type Storm = { path: string; calls: readonly Call[] };

/** One storm, to the end, on a server and a database of its own: memory and growth are this storm's. */
async function measure(size: Size, run: number, { path, calls }: Storm) {
  const bench = await startBench(CREDENTIALS);
  try {
    const floor = await upsert(bench.pool, size, run);
    await bench.pool.query("checkpoint");
    const before = await totals(bench);
    const cpu = [bench.server.pid, bench.postgres.pid].map(cpuSeconds);
    const began = performance.now();
    const again = await send(`${bench.server.url}${path}`, calls);
    const accepted = (performance.now() - began) / 1000;
    await bench.drained();
    const ended = (performance.now() - began) / 1000;
    const used = [bench.server.pid, bench.postgres.pid].map((pid, at) => cpuSeconds(pid) - (cpu[at] ?? 0));
    const after = await totals(bench);
    const grown = (name: string) => (after[name] ?? 0) - (before[name] ?? 0);
    const rate = size.alerts / ended;
    return {
      grown,
      rate,
      before: [fixed(size.alerts / accepted), fixed(rate), fixed(floor), fixed(rate / floor, 2)],
      after: [
        fixed(peakMemory(bench.server.pid)),
        fixed(grown("size") / size.alerts),
        used.map((seconds) => fixed((seconds * 1e6) / size.alerts)).join(" + "),
        String(again),
      ],
    };
  } finally {
    await bench.close();
  }
}

const COUNTS = ["incidents", "main", "decisions", "outbox"];
const RATES = ["accepted/s", "to the end/s", "bare upsert/s", "×"];
const COSTS = ["peak MiB", "bytes/alert", "CPU µs/alert", "sent again"];

async function ofAlertmanager(): Promise<void> {
  const rows: string[][] = [];
  for (const [run, size] of SIZES.entries()) {
    const calls = bodies(size, run).map((body) => ({ body, headers: {} }));
    const { grown, ...told } = await measure(size, run, { path: "/api/v1/webhooks/alertmanager", calls });
    if (grown("alerts") !== size.alerts)
      throw new Error(`${grown("alerts")} of ${size.alerts} alerts are stored`);
    const name = `${fixed(size.alerts)} over ${fixed(size.fingerprints)}`;
    rows.push([name, ...told.before, ...COUNTS.map((one) => fixed(grown(one))), ...told.after]);
  }
  print(
    `Every alert a new instance, ${BODY} in a body, ${SENDERS} senders that send again until they are acknowledged`,
  );
  table(["alerts", ...RATES, ...COUNTS, ...COSTS], rows);
}

/** `only`: of the sources whose names contain it, and of that which they are compared with. */
async function ofEachSource(only: string): Promise<void> {
  const size = SIZES[0] as Size;
  const rows: string[][] = [];
  const baselines = new Map<number, number>();
  const loads = sourceLoads(size.alerts, size.fingerprints, BODY);
  for (const { source, batch, ...load } of loads) {
    if (source !== BASELINE && !source.includes(only)) continue;
    const { grown, rate, ...told } = await measure(size, rows.length, load);
    if (source === BASELINE) baselines.set(batch, rate);
    if (grown("deliveries") !== size.alerts)
      throw new Error(`${grown("deliveries")} of ${size.alerts} alerts of ${source} are counted`);
    const counts = ["alerts", ...COUNTS].map((one) => fixed(grown(one)));
    rows.push([
      source,
      String(batch),
      ...told.before,
      fixed(rate / (baselines.get(batch) ?? Number.NaN), 2),
      ...counts,
      ...told.after,
    ]);
  }
  print();
  print(
    `${fixed(size.alerts)} alerts about ${size.fingerprints} things, in the genuine bodies of each source, limits as shipped`,
  );
  table(["source", "in a body", ...RATES, "× Alertmanager", "instances", ...COUNTS, ...COSTS], rows);
}

/** A storm of alerts, to the end, beside a bare batched upsert of the same rows into one table; then as of each source. */
export async function storm(only = process.argv[3] ?? ""): Promise<void> {
  if (only === "") await ofAlertmanager();
  await ofEachSource(only);
}
