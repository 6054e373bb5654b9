import { wait } from "../../src/lib/wait.ts";
import { type Bench, startBench, WEBHOOK } from "./awoooi.ts";
import { type Call, flood } from "./flood.ts";
import { fixed, print, table } from "./report.ts";
import { peakMemory } from "./usage.ts";
import { type LoadResult, load } from "./wrk.ts";

const PATH = "/api/v1/webhooks/alertmanager";
const RATE = 1_000;
const SECONDS = 5;
const ROUNDS = 2;
const DAY = 86_400;
const LIMIT = 5 * 1024 * 1024;
// Two senders of one source, told apart by what a proxy says.
const GOOD = "10.1.1.1";
const BAD = "10.2.2.2";
const STRANGER = "203.0.113.7";

function call(body: string, from = BAD, more = ""): Buffer {
  const head = `POST ${PATH} HTTP/1.1\r\nhost: awoooi\r\nx-forwarded-for: ${from}\r\ncontent-type: application/json\r\n${more}content-length: ${Buffer.byteLength(body)}\r\n\r\n`;
  return Buffer.from(head + body);
}
const always =
  (bytes: Buffer): Call =>
  () =>
    bytes;
const json = (size: number) => JSON.stringify({ garbage: "x".repeat(size) });
const madeUp = (n: number) =>
  `${WEBHOOK.before}{"status":"firing","labels":{"alertname":"MadeUp","deployment":"made-up-${n.toString(36)}-x"},"startsAt":"2026-05-04T08:00:00Z"}${WEBHOOK.after}`;

const KINDS: [string, Call][] = [
  ["no JSON, 300 bytes", always(call("x".repeat(300)))],
  ["wrong credentials", always(call("{}", STRANGER, "authorization: Bearer wrong-wrong-wrong\r\n"))],
  ["wrong credentials, 5 MiB", always(call("x".repeat(LIMIT), STRANGER, "authorization: Bearer wrong\r\n"))],
  ["not understood, 300 bytes", always(call(json(300)))],
  ["not understood, 16 kB", always(call(json(16_000)))],
  ["not understood, 5 MiB", always(call(json(LIMIT - 100)))],
  ["ever new label values", (n) => call(madeUp(n))],
];

const size = (bench: Bench) => bench.count("select pg_database_size(current_database())");

async function good(bench: Bench): Promise<LoadResult> {
  const headers = { "x-forwarded-for": GOOD };
  const url = `${bench.server.url}${PATH}`;
  const sent = { url, headers, shape: WEBHOOK, batch: 1, instances: 5_000 };
  const result = await load({ ...sent, seconds: SECONDS, connections: 32 });
  await bench.drained();
  return result;
}

const mean = (values: readonly number[]) => values.reduce((sum, one) => sum + one, 0) / values.length;

/** What this kind of garbage does to another sender, and to the disk: on a server of its own. */
async function measure(name: string, garbage: Call): Promise<string[]> {
  const bench = await startBench({ intake: { proxies: ["127.0.0.1"] } });
  try {
    await good(bench);
    // Alone: what it gets in before it is limited, and from then on.
    const sizes = [await size(bench)];
    const first = flood(bench.server.url, garbage, RATE);
    for (let phase = 0; phase < 2; phase += 1) {
      await wait(phase === 0 ? 4 * SECONDS * 1000 : SECONDS * 1000);
      await bench.drained();
      sizes.push(await size(bench));
    }
    await first.stop();
    const alone: LoadResult[] = [];
    const beside: LoadResult[] = [];
    const seen: Record<string, number> = {};
    let sent = 0;
    for (let round = 0; round < ROUNDS; round += 1) {
      alone.push(await good(bench));
      const second = flood(bench.server.url, (n) => garbage(1_000_000 * (round + 1) + n), RATE);
      beside.push(await good(bench));
      await second.stop();
      const result = second.result();
      sent += result.sent;
      for (const [status, n] of Object.entries(result.statuses)) seen[status] = (seen[status] ?? 0) + n;
    }
    const of = (list: LoadResult[], value: (one: LoadResult) => number) => mean(list.map(value));
    const rate = (one: LoadResult) => one.accepted / one.seconds;
    const ratio = (value: (one: LoadResult) => number) => fixed(of(beside, value) / of(alone, value), 2);
    const [begun = 0, filled = 0, end = 0] = sizes;
    return [
      name,
      fixed(of(alone, rate)),
      fixed(of(beside, rate)),
      ratio(rate),
      ratio((one) => one.p50),
      ratio((one) => one.p99),
      String(beside.reduce((sum, one) => sum + one.refused + one.broken, 0)),
      fixed(sent / (ROUNDS * SECONDS)),
      Object.entries(seen)
        .map(([status, n]) => `${n} × ${status}`)
        .join(", "),
      fixed((filled - begun) / 1e6, 1),
      fixed((((end - filled) / SECONDS) * DAY) / 1e6),
      fixed(peakMemory(bench.server.pid)),
    ];
  } finally {
    await bench.close();
  }
}

/**
 * A good sender as fast as it can, alone and beside 1,000 useless calls a second of another one; `only` those
 * kinds of useless calls whose names contain it.
 */
export async function garbage(only = process.argv[3] ?? ""): Promise<void> {
  const rows: string[][] = [];
  for (const [name, kind] of KINDS.filter(([name]) => name.includes(only))) {
    const row = await measure(name, kind);
    rows.push(row);
    // A run takes minutes: what is known is shown.
    print(row.join("  "));
  }
  print(
    `Single alerts from 32 connections for ${SECONDS} s, ${ROUNDS} rounds, alone and beside ${fixed(RATE)} useless calls a second`,
  );
  table(
    [
      "useless calls",
      "alone/s",
      "beside/s",
      "×",
      "p50 ×",
      "p99 ×",
      "good refused",
      "useless/s",
      "answered",
      "MB at first",
      "MB/day then",
      "peak MiB",
    ],
    rows,
  );
}
