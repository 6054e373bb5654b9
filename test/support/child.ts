import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { onPath } from "./packages.ts";

/** A server that a test has started as a process of its own. */
export type Child = {
  pid: number;
  /** Waits for what makes it ready, or throws with the end of its output once it has exited. */
  ready(what: Promise<unknown>): Promise<void>;
  /** SIGKILL, and waits for its end. */
  kill(): Promise<void>;
};

/** Starts a server whose output is appended to the file `log`. It dies with this process, however that ends. */
export function startChild(program: string, args: readonly string[], log: string): Child {
  const output = openSync(log, "a");
  const options = { stdio: ["ignore", output, output] as ["ignore", number, number] };
  // Only Linux has it, which is where a killed run would leave servers behind in CI.
  const setpriv = onPath("setpriv");
  const child =
    setpriv === undefined
      ? spawn(program, args, options)
      : spawn(setpriv, ["--pdeathsig", "KILL", "--", program, ...args], options);
  closeSync(output);
  const exit = once(child, "exit");
  exit.catch(() => {});
  return {
    pid: child.pid ?? 0,
    async ready(what) {
      const ended = exit.then(async () => {
        const end = (await readFile(log, "utf8")).slice(-2_000);
        throw new Error(`${program} exited (${child.exitCode ?? child.signalCode}): ${end}`);
      });
      await Promise.race([what, ended]);
    },
    async kill() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill("SIGKILL");
      await exit;
    },
  };
}
