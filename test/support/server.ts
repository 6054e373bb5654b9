import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { stringify } from "yaml";
import { ADMIN_TOKEN, type Client, client } from "./app.ts";

const MAIN = join(import.meta.dirname, "../../bin/awoooi.js");

export type Server = {
  url: string;
  pid: number;
  admin: Client;
  output(): string;
  /** Whether it is gone, by itself or because it was killed. */
  exited(): boolean;
  /** SIGKILL, as by the kernel; resolves when the process is gone. */
  kill(): Promise<void>;
  /** SIGTERM; resolves to the exit code. */
  stop(): Promise<number | null>;
};

export class ServerFailed extends Error {
  readonly code: number | null;
  constructor(code: number | null, output: string) {
    super(`the server ended with ${code}: ${output}`);
    this.code = code;
  }
}

async function ready(child: ChildProcess, output: () => string): Promise<string> {
  return new Promise((resolve, reject) => {
    const look = () => {
      const url = /AWOOOI is ready at (\S+)/.exec(output())?.[1];
      if (url !== undefined) resolve(url);
    };
    child.stdout?.on("data", look);
    child.once("exit", (code) => reject(new ServerFailed(code, output())));
    child.once("error", reject);
  });
}

/** The real server as a process of its own, on a configuration written to `folder`. */
export async function startServer(
  folder: string,
  settings: Record<string, unknown>,
  env: NodeJS.ProcessEnv = {},
  entry = MAIN,
): Promise<Server> {
  const config = join(folder, "awoooi.yaml");
  await writeFile(config, stringify({ data_dir: join(folder, "data"), ...settings }));
  const child = spawn(process.execPath, [entry, "serve", "--config", config], {
    env: { PATH: process.env.PATH, HOME: process.env.HOME, AWOOOI_ADMIN_TOKEN: ADMIN_TOKEN, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let text = "";
  const keep = (chunk: Buffer) => {
    text += chunk.toString("utf8");
  };
  child.stdout.on("data", keep);
  child.stderr.on("data", keep);
  const url = await ready(child, () => text);
  const gone = async (signal: NodeJS.Signals) => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const exit = once(child, "exit");
    child.kill(signal);
    await exit;
  };
  return {
    url,
    pid: child.pid as number,
    admin: client(url, ADMIN_TOKEN),
    output: () => text,
    exited: () => child.exitCode !== null || child.signalCode !== null,
    kill: () => gone("SIGKILL"),
    async stop() {
      await gone("SIGTERM");
      return child.exitCode;
    },
  };
}
