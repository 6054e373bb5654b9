import { spawn } from "node:child_process";
import { once } from "node:events";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import manifest from "../../package.json" with { type: "json" };
import { startEmbeddedPostgres } from "../../src/db/embedded/server.ts";
import { silentLog } from "../../src/lib/log.ts";
import { temporaryFolder } from "../support/folder.ts";
import { fixed, print, table } from "./report.ts";
import { residentMemory } from "./usage.ts";

const ROOT = join(import.meta.dirname, "../..");
/** Seconds that a process is left alone before its memory is read. */
const IDLE = 20;
const STARTS = 5;

type Started = { seconds: number; all: number; own: number };

/** Starts a process, waits until it says that it is ready, and after `idle` seconds reads what it has resident. */
async function measured(argv: readonly string[], env: NodeJS.ProcessEnv, idle = IDLE): Promise<Started> {
  const begun = performance.now();
  const child = spawn(process.execPath, argv, {
    cwd: ROOT,
    env: { PATH: process.env.PATH, HOME: process.env.HOME, ...env },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const exit = once(child, "exit");
  let said = "";
  const ready = new Promise<void>((resolve, reject) => {
    child.stdout.on("data", (chunk: Buffer) => {
      said += chunk.toString("utf8");
      if (said.includes("is ready at ")) resolve();
    });
    child.once("exit", (code) => reject(new Error(`it ended with ${code}: ${said}`)));
  });
  await ready;
  const seconds = (performance.now() - begun) / 1000;
  await delay(idle * 1000);
  const memory = residentMemory(child.pid as number);
  child.kill("SIGTERM");
  await exit;
  return { seconds, ...memory };
}

const median = (values: readonly number[]) =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] as number;

/** What an idle server costs, started as `npm start` does on the embedded database, beside a bare Fastify with `pg`. */
export async function footprint(): Promise<void> {
  const folder = await temporaryFolder("footprint");
  const postgres = await startEmbeddedPostgres({ dataDir: join(folder, "bare"), log: silentLog });
  const serve = manifest.scripts.start.split(" ").slice(1);
  const settings = { AWOOOI_PORT: "0", AWOOOI_LOG_LEVEL: "error" };
  try {
    const bare = await measured([join(import.meta.dirname, "bare-fastify-pg.ts")], {
      DATABASE_URL: postgres.url,
    });
    const firsts: Started[] = [];
    const laters: Started[] = [];
    for (let at = 0; at < STARTS; at += 1) {
      const env = { ...settings, AWOOOI_DATA_DIR: join(folder, `data-${at}`) };
      const idle = at === 0 ? IDLE : 0;
      firsts.push(await measured(serve, env, idle));
      laters.push(await measured(serve, env, idle));
    }
    const row = (name: string, { all, own }: Started) => [
      name,
      fixed(all),
      fixed(own),
      fixed(all / bare.all, 2),
    ];
    table(
      [`idle for ${IDLE} s`, "resident MiB", "its own MiB", "ratio"],
      [
        row("bare Fastify with pg", bare),
        row("awoooi, first start", firsts[0] as Started),
        row("awoooi, later start", laters[0] as Started),
      ],
    );
    print();
    const seconds = (name: string, starts: Started[]) => {
      const all = starts.map((one) => one.seconds);
      return [
        name,
        fixed(Math.min(...all), 2),
        fixed(median(all), 2),
        fixed(Math.max(...all), 2),
        fixed(median(all) / bare.seconds, 1),
      ];
    };
    table(
      ["start to ready, s", "least", "median", "most", "ratio to bare"],
      [
        ["bare Fastify with pg", "", fixed(bare.seconds, 2), "", "1.0"],
        seconds(`first start, ${STARTS} times`, firsts),
        seconds(`later start, ${STARTS} times`, laters),
      ],
    );
  } finally {
    await postgres.stop();
    await rm(folder, { recursive: true, force: true });
  }
}
