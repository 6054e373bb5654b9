import { Agent, request } from "node:http";
import type pg from "pg";
import { type Bench, startBench, WEBHOOK } from "./awoooi.ts";
import { fixed, print, table } from "./report.ts";
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

function post(url: string, agent: Agent, body: Buffer): Promise<number> {
  return new Promise((resolve, reject) => {
    const headers = { "content-type": "application/json", "content-length": body.length };
    const call = request(url, { method: "POST", agent, headers }, (answer) => {
      answer.resume().once("end", () => resolve(answer.statusCode ?? 0));
    });
    call.once("error", reject).end(body);
  });
}

/** Sends every body until it is acknowledged, as Alertmanager does; returns how often it had to send again. */
async function send(url: string, list: readonly Buffer[]): Promise<number> {
  const agent = new Agent({ keepAlive: true, maxSockets: SENDERS });
  let next = 0;
  let again = 0;
  const sender = async () => {
    for (let at = next++; at < list.length; at = next++) {
      while ((await post(url, agent, list[at] as Buffer)) >= 300) again += 1;
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
           (select count(*) from outbox) outbox, (select count(*) from alerts) alerts,
           pg_database_size(current_database()) size`);
  return Object.fromEntries(Object.entries(rows[0] ?? {}).map(([name, value]) => [name, Number(value)]));
}

async function storms(size: Size, run: number): Promise<string[]> {
  // A server and a database of its own: memory and growth are this storm's.
  const bench = await startBench();
  try {
    const list = bodies(size, run);
    const floor = await upsert(bench.pool, size, run);
    await bench.pool.query("checkpoint");
    const before = await totals(bench);
    const cpu = [bench.server.pid, bench.postgres.pid].map(cpuSeconds);
    const began = performance.now();
    const again = await send(`${bench.server.url}/api/v1/webhooks/alertmanager`, list);
    const accepted = (performance.now() - began) / 1000;
    await bench.drained();
    const ended = (performance.now() - began) / 1000;
    const used = [bench.server.pid, bench.postgres.pid].map((pid, at) => cpuSeconds(pid) - (cpu[at] ?? 0));
    const after = await totals(bench);
    const grown = (name: string) => (after[name] ?? 0) - (before[name] ?? 0);
    if (grown("alerts") !== size.alerts)
      throw new Error(`${grown("alerts")} of ${size.alerts} alerts are stored`);
    const rate = size.alerts / ended;
    return [
      `${fixed(size.alerts)} over ${fixed(size.fingerprints)}`,
      fixed(size.alerts / accepted),
      fixed(rate),
      fixed(floor),
      fixed(rate / floor, 2),
      fixed(grown("incidents")),
      fixed(grown("decisions")),
      fixed(grown("outbox")),
      fixed(peakMemory(bench.server.pid)),
      fixed(grown("size") / size.alerts),
      used.map((seconds) => fixed((seconds * 1e6) / size.alerts)).join(" + "),
      String(again),
    ];
  } finally {
    await bench.close();
  }
}

/** A storm of alerts, to the end, beside a bare batched upsert of the same rows into one table. */
export async function storm(): Promise<void> {
  const rows: string[][] = [];
  for (const [run, size] of SIZES.entries()) rows.push(await storms(size, run));
  print(
    `Every alert a new instance, ${BODY} in a body, ${SENDERS} senders that send again until they are acknowledged`,
  );
  table(
    [
      "alerts",
      "accepted/s",
      "to the end/s",
      "bare upsert/s",
      "×",
      "incidents",
      "decisions",
      "outbox",
      "peak MiB",
      "bytes/alert",
      "CPU µs/alert",
      "sent again",
    ],
    rows,
  );
}
