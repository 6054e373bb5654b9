import { AwoooiError, ERRORS, messageOf } from "../lib/error.ts";
import { withoutRepetition } from "../lib/log-repetition.ts";
import { startApp } from "./app.ts";
import { loadConfig } from "./config.ts";
import { createLog } from "./log.ts";

function complain(error: unknown): number {
  const known = error instanceof AwoooiError ? error : undefined;
  process.stderr.write(`awoooi: ${messageOf(error)}\n`);
  for (const { path, message } of known?.errors ?? []) process.stderr.write(`  ${path}: ${message}\n`);
  return ERRORS[known?.code ?? "internal"].exit;
}

function welcome(url: string, adminToken: string | null): void {
  const print = (line: string) => process.stdout.write(`${line}\n`);
  print(`AWOOOI is ready at ${url}`);
  print(`  Alertmanager's webhook: ${url}/api/v1/webhooks/alertmanager`);
  if (adminToken === null) return;
  print("  This is the first start. Your admin token, shown this once:");
  print(`    export AWOOOI_URL=${url} AWOOOI_TOKEN=${adminToken}`);
  print("  Then, in another terminal: npx awoooi incidents ls");
}

/** Runs the server until it is told to stop; resolves to the exit code. */
export async function serve(options: {
  config?: string | undefined;
  env: NodeJS.ProcessEnv;
}): Promise<number> {
  const ended = Promise.withResolvers<number>();
  try {
    const config = loadConfig({ file: options.config, env: options.env });
    const log = withoutRepetition(createLog(config.server.log_level));
    const app = await startApp(config, {
      log,
      print: (line) => process.stdout.write(`${line}\n`),
      onFatal: () => ended.resolve(1),
    });
    const stop = (signal: NodeJS.Signals) => {
      log.info({ signal }, "stopping");
      ended.resolve(0);
    };
    process.once("SIGINT", stop).once("SIGTERM", stop);
    welcome(app.url, app.adminToken);
    const code = await ended.promise;
    await app.stop();
    return code;
  } catch (error) {
    return complain(error);
  }
}
