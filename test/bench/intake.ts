import { spawn } from "node:child_process";
import { once } from "node:events";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { startAlertmanager } from "../support/alertmanager.ts";
import { temporaryFolder } from "../support/folder.ts";
import { type Bench, startBench, WEBHOOK } from "./awoooi.ts";
import { fixed, print, table } from "./report.ts";
import { cpuSeconds } from "./usage.ts";
import { type Load, type LoadResult, load } from "./wrk.ts";

const SECONDS = 5;
const ROUNDS = 3;
const WARM_UP_SECONDS = 2;
const CONNECTIONS = 128;
const LIST = { before: "[", after: "]" };

type Side = {
  name: string;
  pids: number[];
  target: Pick<Load, "url" | "headers" | "shape">;
  drained(): Promise<void>;
};
type Run = LoadResult & { batch: number; ended: number; cpu: number[] };

export async function startFastify(): Promise<{ url: string; pid: number; stop(): Promise<void> }> {
  const child = spawn(process.execPath, [join(import.meta.dirname, "bare-fastify.ts")], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [chunk] = (await once(child.stdout, "data")) as [Buffer];
  const stop = async () => {
    const exit = once(child, "exit");
    child.kill("SIGTERM");
    await exit;
  };
  return { url: chunk.toString("utf8").trim(), pid: child.pid as number, stop };
}

async function run(side: Side, batch: number, instances: number, seconds: number): Promise<Run> {
  const before = side.pids.map(cpuSeconds);
  const began = performance.now();
  const result = await load({ ...side.target, batch, instances, seconds, connections: CONNECTIONS });
  await side.drained();
  const ended = (performance.now() - began) / 1000;
  return { ...result, batch, ended, cpu: side.pids.map((pid, at) => cpuSeconds(pid) - (before[at] ?? 0)) };
}

const median = (values: readonly number[]) =>
  [...values].sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN;

/** Alerts a second that were answered 2xx, and that were worked off to the end. */
const accepted = (one: Run) => (one.accepted * one.batch) / one.seconds;
const processed = (one: Run) => (one.accepted * one.batch) / one.ended;

function report(runs: Map<string, Run[]>): void {
  const of = (name: string, value: (one: Run) => number) => median((runs.get(name) ?? []).map(value));
  const rows = [...runs].map(([name, list]) => {
    const alerts = (one: Run) => Math.max(1, one.accepted * one.batch);
    const cpu = list[0]?.cpu.map((_, at) =>
      fixed(median(list.map((one) => ((one.cpu[at] ?? 0) * 1e6) / alerts(one))), 1),
    );
    const refused = list.reduce((sum, one) => sum + one.refused + one.broken, 0);
    return [
      name,
      fixed(of(name, accepted)),
      fixed(of(name, accepted) / of("Alertmanager", accepted), 2),
      fixed(of(name, accepted) / of("bare Fastify", accepted), 2),
      fixed(of(name, processed)),
      fixed(of(name, processed) / of("Alertmanager", accepted), 2),
      fixed(
        of(name, (one) => one.p50),
        1,
      ),
      fixed(
        of(name, (one) => one.p99),
        1,
      ),
      String(refused),
      cpu?.join(" + ") ?? "",
    ];
  });
  table(
    [
      "",
      "accepted/s",
      "× AM",
      "× Fastify",
      "processed/s",
      "× AM",
      "p50 ms",
      "p99 ms",
      "refused",
      "CPU µs/alert",
    ],
    rows,
  );
}

async function compare(sides: readonly Side[], batch: number, instances: number): Promise<void> {
  const runs = new Map<string, Run[]>(sides.map((side) => [side.name, []]));
  for (const side of sides) await run(side, batch, instances, WARM_UP_SECONDS);
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const side of sides) runs.get(side.name)?.push(await run(side, batch, instances, SECONDS));
  }
  report(runs);
}

function sideOf(bench: Bench): Side {
  return {
    name: "AWOOOI",
    // The database is a process of its own here: its share is shown apart.
    pids: [bench.server.pid, bench.postgres.pid],
    target: { url: `${bench.server.url}/api/v1/webhooks/alertmanager`, headers: {}, shape: WEBHOOK },
    drained: () => bench.drained(),
  };
}

/**
 * Alerts a second: ours (on disk before the answer, then made into incidents) beside Alertmanager's own
 * API (kept in memory) and a bare Fastify (parsed and forgotten), in turns, on the same machine.
 */
export async function intake(): Promise<void> {
  const folder = await temporaryFolder("bench-am");
  const bench = await startBench();
  const peer = await startAlertmanager(folder, null);
  const floor = await startFastify();
  const sides: Side[] = [
    {
      name: "Alertmanager",
      pids: [peer.pid],
      target: { url: `${peer.url}/api/v2/alerts`, headers: {}, shape: LIST },
      drained: async () => {},
    },
    {
      name: "bare Fastify",
      pids: [floor.pid],
      target: { url: `${floor.url}/`, headers: {}, shape: WEBHOOK },
      drained: async () => {},
    },
    sideOf(bench),
  ];
  try {
    for (const batch of [1, 64]) {
      print(
        `\n${batch} ${batch === 1 ? "alert" : "alerts"} in a body; 5,000 instances over 50 workloads, sent again and again (${ROUNDS} rounds of ${SECONDS} s, medians)`,
      );
      await compare(sides, batch, 5_000);
    }
    print("\nThe same, every alert a new instance");
    for (const batch of [1, 64]) {
      print(`${batch} in a body`);
      await compare([...sides], batch, 99_999_999);
    }
  } finally {
    await bench.close();
    await peer.stop();
    await floor.stop();
    await rm(folder, { recursive: true, force: true });
  }
}
