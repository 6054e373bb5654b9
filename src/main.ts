import { isatty } from "node:tty";
import { fileURLToPath } from "node:url";
import { programWords, runCli } from "./cli/index.ts";

// Whoever reads our output may have seen enough, as `head` does.
let unread = false;
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") throw error;
  unread = true;
});

/** Waits until stdout takes more; false when nobody reads it any longer. */
async function drained(): Promise<boolean> {
  const { stdout } = process;
  if (stdout.writableNeedDrain && !unread) {
    await new Promise<void>((resolve) => {
      const done = () => {
        stdout.off("drain", done).off("error", done);
        resolve();
      };
      stdout.on("drain", done).on("error", done);
    });
  }
  return !unread;
}

const program = programWords(fileURLToPath(new URL("../bin/awoooi.js", import.meta.url)), {
  env: process.env,
  cwd: process.cwd(),
});

process.exitCode = await runCli(process.argv.slice(2), {
  env: process.env,
  program,
  stdout: (text) => process.stdout.write(text),
  stderr: (text) => process.stderr.write(text),
  drained,
  // Not opened before something is read from it.
  stdin: { [Symbol.asyncIterator]: () => process.stdin.setEncoding("utf8")[Symbol.asyncIterator]() },
  isTTY: [0, 1, 2].every((stream) => isatty(stream)),
  export: async (options) =>
    (await import("./app/index.ts")).exportInstallation({ ...options, env: process.env }),
  import: async (options) =>
    (await import("./app/index.ts")).importInstallation({ ...options, env: process.env }),
  config: () => import("./app/index.ts"),
  serve: async (options) => {
    // Only here: the other commands need not load the server to be quick.
    const { serve } = await import("./app/index.ts");
    const code = await serve({ ...options, env: process.env, program });
    // Workflows in the middle go on at the next start: their waits must not hold this process back.
    process.exit(code);
  },
});
