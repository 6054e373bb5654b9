import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { rm } from "node:fs/promises";
import { createClient } from "redis";
import { temporaryFolder } from "./folder.ts";
import { freePort } from "./ports.ts";
import { redisBinary } from "./prepare.ts";
import { until } from "./until.ts";

/** Every command is on disk before it is answered. */
export const DURABLE = ["--appendonly", "yes", "--appendfsync", "always"];

export type Redis = {
  url: string;
  /** Sends a command, over a connection of its own. */
  send<T = unknown>(...command: string[]): Promise<T>;
  /** SIGKILL; its folder stays. */
  kill(): Promise<void>;
  /** Starts it again, on what its folder holds. */
  start(): Promise<void>;
  /** Stops it and removes its folder. */
  stop(): Promise<void>;
};

/** A real Redis as a process of its own, on a free port, with these arguments. */
export async function startRedis(...args: string[]): Promise<Redis> {
  const binary = redisBinary();
  if (binary === undefined) throw new Error("there is no Redis: run `node test/support/prepare.ts redis`");
  const folder = await temporaryFolder("redis");
  const port = await freePort();
  const url = `redis://127.0.0.1:${port}`;
  const own = ["--port", String(port), "--bind", "127.0.0.1", "--dir", folder, "--save", ""];
  let child: ChildProcess;
  const send: Redis["send"] = async (...command) => {
    const client = createClient({
      url,
      socket: { reconnectStrategy: false, connectTimeout: 60_000, socketTimeout: 60_000 },
    });
    client.on("error", () => {});
    await client.connect();
    try {
      return (await client.sendCommand(command)) as never;
    } finally {
      client.destroy();
    }
  };
  const start = async () => {
    child = spawn(binary, [...own, ...args], { stdio: "ignore" });
    await until(isUp, "Redis to answer");
  };
  const isUp = () =>
    send("PING").then(
      () => true,
      // It asks for a password, and so it answers.
      (error: Error) => /^NOAUTH/.test(error.message),
    );
  const kill = async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const exit = once(child, "exit");
    child.kill("SIGKILL");
    await exit;
  };
  await start();
  return {
    url,
    send,
    kill,
    start,
    async stop() {
      await kill();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
