import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { createWriteStream } from "node:fs";
import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { stringify } from "yaml";
import { localProcess } from "../src/adapters/executors/local-process/index.ts";
import { silentLog } from "../src/lib/log.ts";

export const SERVICE = "demo-shop";

export type Stage = {
  url: string;
  adminToken: string;
  /** The service's own address. */
  shop: string;
  logFile: string;
  /** Ends the server and the service, and removes everything that they wrote. */
  clear(): Promise<void>;
};

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

function settings(folder: string, port: number) {
  const shop = {
    name: SERVICE,
    argv: [process.execPath, join(import.meta.dirname, "service.ts")],
    env: { PORT: String(port) },
    probe: { url: `http://127.0.0.1:${port}/healthz`, timeout_ms: 500 },
    // More eager than as shipped (10 s and 3), for the same reason as below.
    watch: { interval_ms: 500, failures: 2, severity: "critical" },
  };
  return {
    data_dir: join(folder, "data"),
    server: { port: 0 },
    // Shorter than as shipped (10 s and 1 s): a demo should not wait long.
    verification: { wait: "1s", interval: "300ms", healthy_in_a_row: 2 },
    notification: { terminal: false },
    processes: [shop],
  };
}

/** The server as a process of its own. Detached: Ctrl-C is the demo's, which stops it in order. */
async function startServer(folder: string, config: object, adminToken: string) {
  const file = join(folder, "awoooi.yaml");
  await writeFile(file, stringify(config));
  const main = join(import.meta.dirname, "../bin/awoooi.js");
  const { PATH, HOME } = process.env;
  const child = spawn(process.execPath, [main, "serve", "--config", file], {
    env: { PATH, HOME, AWOOOI_ADMIN_TOKEN: adminToken },
    stdio: ["ignore", "pipe", "pipe"],
    detached: true,
  });
  const logFile = join(folder, "server.log");
  const log = createWriteStream(logFile);
  child.stderr.pipe(log);
  const exit = once(child, "exit");
  let said = "";
  const url = new Promise<string>((resolve, reject) => {
    child.stdout.on("data", (chunk: Buffer) => {
      said += chunk.toString("utf8");
      const found = /ready at (\S+)/.exec(said)?.[1];
      if (found !== undefined) resolve(found);
    });
    let complaint = "";
    child.stderr.on("data", (chunk: Buffer) => {
      complaint += chunk.toString("utf8");
    });
    child.once("error", reject);
    child.once("exit", () => reject(new Error(`the server did not start: ${complaint.trim()}`)));
  });
  const stop = async () => {
    if (child.exitCode === null && child.signalCode === null) child.kill("SIGTERM");
    await exit;
  };
  return { url, stop, logFile };
}

/** Whether the shop does what it is for. */
export async function shopAnswers(shop: string): Promise<boolean> {
  const answer = await fetch(`${shop}/checkout`, { signal: AbortSignal.timeout(2_000) }).catch(
    () => undefined,
  );
  await answer?.body?.cancel();
  return answer?.ok === true;
}

async function opened(shop: string): Promise<void> {
  for (let look = 0; look < 100; look += 1) {
    if (await shopAnswers(shop)) return;
    await delay(100);
  }
  throw new Error("the shop does not answer, although it was not broken");
}

/** Starts the server in a temporary folder, which starts the service that it supervises. */
export async function startStage(): Promise<Stage> {
  const folder = await mkdtemp(join(tmpdir(), "awoooi-demo-"));
  // As root the database runs under another user, who must get in.
  await chmod(folder, 0o755);
  const port = await freePort();
  const config = settings(folder, port);
  const adminToken = randomBytes(24).toString("hex");
  const server = await startServer(folder, config, adminToken);
  const processes = localProcess.create(
    config.processes.map((one) => localProcess.processConfig.parse(one)),
    { state_dir: join(config.data_dir, "processes"), log: silentLog },
  );
  const clear = async () => {
    await server.stop();
    await processes.stop(SERVICE);
    await rm(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
  };
  try {
    const url = await server.url;
    const shop = `http://127.0.0.1:${port}`;
    await opened(shop);
    return { url, adminToken, shop, logFile: server.logFile, clear };
  } catch (error) {
    await clear();
    throw error;
  }
}
