import { readFileSync, writeFileSync } from "node:fs";
import { ADMIN_TOKEN } from "../support/app.ts";
import { startBench } from "./awoooi.ts";
import { fixed, print, table } from "./report.ts";
import { peakMemory } from "./usage.ts";

const ALERTS = 5_000;
// What an alert may have of annotations.
const ANNOTATION = 62_000;
const MIB = 1024 * 1024;

/** Alerts that fire, as large as alerts may be; not compressible, as PostgreSQL would compress them. */
const FILL = `
  insert into alerts (alert_id, source, source_fingerprint, fingerprint, status, alert_name, alert_type, alert_category,
                      notification_type, cluster, namespace, target_resource, message, labels, annotations, starts_at,
                      first_received_at, last_received_at)
  select 'ALR-' || n, 'alertmanager', 'f' || n, 'f' || n, 'firing', 'Large', 'custom', 'general', 'TYPE-3', '', '', '', '',
         jsonb_build_object('alertname', 'Large', 'n', n::text),
         jsonb_build_object('text', (select string_agg(md5(n::text || p::text), '') from generate_series(1, ${ANNOTATION} / 32) p)),
         now(), now() - n * interval '1 ms', now()
    from generate_series(1, ${ALERTS}) n`;

type Read = { status: number; bytes: number };

async function read(url: string): Promise<Read> {
  const response = await fetch(url, { headers: { authorization: `Bearer ${ADMIN_TOKEN}` } });
  let bytes = 0;
  for await (const chunk of response.body ?? []) bytes += (chunk as Uint8Array).length;
  return { status: response.status, bytes };
}

const resident = (pid: number) =>
  Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) / 1024;

/** Asks again and again whether the server lives; returns how to end it, with the longest wait. */
function asking(url: string): () => Promise<number> {
  let longest = 0;
  let going = true;
  const ended = (async () => {
    while (going) {
      const began = performance.now();
      await fetch(`${url}/api/v1/health/live`).then((answer) => answer.text());
      longest = Math.max(longest, performance.now() - began);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  })();
  return async () => {
    going = false;
    await ended;
    return longest;
  };
}

/** What readers of all alerts cost: memory, and how long anybody else waits. */
export async function reads(): Promise<void> {
  const bench = await startBench({ admin_token: ADMIN_TOKEN });
  try {
    await bench.pool.query(FILL);
    const { pid, url } = bench.server;
    const rows: string[][] = [];
    for (const [name, path, readers] of [
      ["one alert of them", "/api/v2/alerts?filter=n%3D1", 1],
      ["one reader of 5,000 alerts", "/api/v2/alerts", 1],
      ["four at once", "/api/v2/alerts", 4],
    ] as const) {
      // Counts the most from here on.
      writeFileSync(`/proc/${pid}/clear_refs`, "5");
      const before = resident(pid);
      const stop = asking(url);
      const began = performance.now();
      const answers = await Promise.all(Array.from({ length: readers }, () => read(url + path)));
      const seconds = (performance.now() - began) / 1000;
      const longest = await stop();
      rows.push([
        name,
        answers.map((one) => one.status).join(" "),
        fixed(answers.reduce((sum, one) => sum + one.bytes, 0) / MIB, 1),
        fixed(seconds, 1),
        fixed(before),
        fixed(peakMemory(pid)),
        fixed(longest),
      ]);
    }
    print(
      `${fixed(ALERTS)} alerts that fire, of ${fixed(ANNOTATION / 1_000)} kB each, read under /api/v2/alerts`,
    );
    table(["", "status", "MiB", "s", "resident before, MiB", "peak, MiB", "longest /health/live, ms"], rows);
  } finally {
    await bench.close();
  }
}
