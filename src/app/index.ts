import type { MoveReport } from "../contract/move.ts";
import { AwoooiError, ERRORS, messageOf } from "../lib/error.ts";
import { withoutRepetition } from "../lib/log-repetition.ts";
import { redactText } from "../lib/redact.ts";
import { startApp } from "./app.ts";
import { loadConfig } from "./config/load.ts";
import { exportTo, importFrom, type MoveRequest } from "./export-import.ts";
import { createLog } from "./log.ts";

export { checkConfig } from "./config/check.ts";
export { configJsonSchema } from "./config/json-schema.ts";
export { configReference } from "./config/reference.ts";
export { showConfig } from "./config/show.ts";
export { localSources } from "./local-sources.ts";

function printError(error: unknown): number {
  const known = error instanceof AwoooiError ? error : undefined;
  process.stderr.write(`awoooi: ${redactText(messageOf(error))}\n`);
  for (const { path, message } of known?.errors ?? [])
    process.stderr.write(`  ${path}: ${redactText(message)}\n`);
  return ERRORS[known?.code ?? "internal"].exit;
}

function printReady(url: string, adminToken: string | null, program: string): void {
  const print = (line: string) => process.stdout.write(`${line}\n`);
  print(`AWOOOI is ready at ${url}`);
  print(`  Alertmanager's webhook: ${url}/api/v1/webhooks/alertmanager`);
  if (adminToken === null) return;
  print("  This is the first start. Your admin token, shown this once:");
  print(`    export AWOOOI_URL=${url} AWOOOI_TOKEN=${adminToken}`);
  print(`  Then, in another terminal: ${program} incidents ls`);
}

/** Runs the server until SIGINT, SIGTERM or a fatal error; resolves to the exit code. */
export async function serve(options: {
  config?: string | undefined;
  env: NodeJS.ProcessEnv;
  /** How a person calls this program on this machine. */
  program?: string;
}): Promise<number> {
  const { program = "awoooi" } = options;
  const ended = Promise.withResolvers<number>();
  try {
    const load = () => loadConfig({ file: options.config, env: options.env });
    const config = load();
    const written = createLog(config.server.log_level);
    const log = withoutRepetition(written);
    const app = await startApp(config, {
      log,
      print: (line) => process.stdout.write(`${line}\n`),
      program,
      load,
      setLogLevel: (level) => {
        written.level = level;
      },
      onFatal: () => ended.resolve(1),
    });
    const stop = (signal: NodeJS.Signals) => {
      log.info({ signal }, "stopping");
      ended.resolve(0);
    };
    // `reload` itself logs and audits its errors.
    process.on("SIGHUP", () => void app.reload().catch(() => {}));
    process.once("SIGINT", stop).once("SIGTERM", stop);
    printReady(app.url, app.adminToken, program);
    const code = await ended.promise;
    await app.stop();
    return code;
  } catch (error) {
    return printError(error);
  }
}

type MoveOptions = { config?: string | undefined; file: string; env: NodeJS.ProcessEnv };

function moveRequest({ config: from, file, env }: MoveOptions): MoveRequest {
  const config = loadConfig({ file: from, env });
  // Errors only: messages about the database's start are of no interest to a person who exports or imports.
  return { config, file, log: createLog("error") };
}

/** Exports the installation into a file. Throws `AwoooiError` with a sentence. */
export function exportInstallation(options: MoveOptions): Promise<MoveReport> {
  return exportTo(moveRequest(options), process.stdout);
}

/** Imports an installation from a file. Throws `AwoooiError` with a sentence. */
export function importInstallation(options: MoveOptions): Promise<MoveReport> {
  return importFrom(moveRequest(options), process.stdin);
}
