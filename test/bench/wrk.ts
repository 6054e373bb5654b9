import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

/** A body as it goes over the wire: alerts of a list, between what comes before and after them. */
export type Shape = { before: string; after: string };

export type Load = {
  url: string;
  headers: Record<string, string>;
  shape: Shape;
  /** Alerts in a body. */
  batch: number;
  /** Different alert instances; after that many they come again, as senders repeat what still fires. */
  instances: number;
  seconds: number;
  connections: number;
};

export type LoadResult = {
  /** Calls that were answered 2xx, and all others. */
  accepted: number;
  refused: number;
  /** Calls that were cut off or timed out. */
  broken: number;
  seconds: number;
  /** Of a call, in milliseconds. */
  p50: number;
  p99: number;
};

/** Workloads that the alerts are about: as many fingerprints. */
const WORKLOADS = 50;

// The alert's number has a fixed width, so that every body has the same length.
const ALERT = [
  '{"status":"firing","labels":{"alertname":"KubePodCrashLooping","severity":"warning","namespace":"shop","deployment":"svc-',
  '","pod":"svc-',
  '","cluster":"bench","prometheus":"monitoring/k8s"},"annotations":{"summary":"A pod is crash looping.","description":"It has restarted more than 5 times within 10 minutes.","runbook_url":"https://runbooks.example.org/kubepodcrashlooping"},"startsAt":"2026-05-04T08:00:00.000Z","endsAt":"',
  '","generatorURL":"http://prometheus.example.org/graph?g0.expr=restarts","fingerprint":"',
  '"}',
] as const;

/** wrk's script. Bodies are put together as they are sent: no two are the same until all instances were. */
function script({ headers, shape, batch, instances }: Load, endsAt: string): string {
  const [head, pod, rest, tail, end] = ALERT;
  return `
local text = table.concat
local n = 0
local before, after = [==[${shape.before}]==], [==[${shape.after}]==]
local function one()
  n = n + 1
  local i = n % ${instances}
  return text{[==[${head}]==], string.format("%02d", i % ${WORKLOADS}), [==[${pod}]==], string.format("%08d", i), [==[${rest}${endsAt}${tail}]==], string.format("%016x", i), [==[${end}]==]}
end
local headers = {["content-type"] = "application/json"}
${Object.entries(headers)
  .map(([name, value]) => `headers[ [==[${name}]==] ] = [==[${value}]==]`)
  .join("\n")}
function request()
  local list = {}
  for k = 1, ${batch} do list[k] = one() end
  return wrk.format("POST", nil, headers, before .. text(list, ",") .. after)
end
function done(summary, latency)
  local e = summary.errors
  print(string.format('RESULT {"calls":%d,"status":%d,"broken":%d,"microseconds":%d,"p50":%f,"p99":%f}',
    summary.requests, e.status, e.connect + e.read + e.write + e.timeout, summary.duration, latency:percentile(50), latency:percentile(99)))
end
`;
}

/** Sends as fast as answers come, from one thread of a process of its own. */
export async function load(options: Load): Promise<LoadResult> {
  const folder = await mkdtemp(join(tmpdir(), "awoooi-bench-"));
  try {
    const file = join(folder, "load.lua");
    // Later than the run: what has ended would be resolved to Alertmanager.
    await writeFile(file, script(options, "2099-01-01T00:00:00.000Z"));
    const { seconds, connections, url } = options;
    const args = ["-t1", `-c${connections}`, `-d${seconds}s`, "--timeout", "10s", "-s", file, url];
    const { stdout } = await run("wrk", args);
    const found = /RESULT (\{.*\})/.exec(stdout)?.[1];
    if (found === undefined) throw new Error(`wrk said nothing of what came out: ${stdout}`);
    const result = JSON.parse(found) as Record<
      "calls" | "status" | "broken" | "microseconds" | "p50" | "p99",
      number
    >;
    return {
      accepted: result.calls - result.status,
      refused: result.status,
      broken: result.broken,
      seconds: result.microseconds / 1e6,
      p50: result.p50 / 1000,
      p99: result.p99 / 1000,
    };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
