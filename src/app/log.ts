import { type DestinationStream, type Logger, pino } from "pino";
import pretty from "pino-pretty";
import { messageOf } from "../lib/error.ts";
import { logFields } from "../lib/log.ts";
import { redact, redactText } from "../lib/redact.ts";
import type { Config } from "./config/schema.ts";

/** Returns an error's message and stack as an object, since JSON would drop them; other values unchanged. */
function plain(value: unknown): unknown {
  return value instanceof Error ? { message: messageOf(value), stack: value.stack } : value;
}

const standardError = (): DestinationStream =>
  process.stderr.isTTY
    ? pretty({ destination: 2, ignore: "pid,hostname", translateTime: "HH:MM:ss", sync: true })
    : pino.destination({ dest: 2, sync: true });

/**
 * Creates the process's log on standard error: readable lines on a terminal, JSON otherwise. Credentials
 * are redacted in every field and text. `to` redirects the JSON.
 */
export function createLog(level: Config["server"]["log_level"], to?: DestinationStream): Logger {
  const options = {
    level,
    base: null,
    // The ids that the enclosing `logAbout` calls have set.
    mixin: logFields,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: {
      level: (label: string) => ({ level: label }),
      log: (fields: Record<string, unknown>) =>
        redact(
          Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, plain(value)])),
        ) as Record<string, unknown>,
    },
    hooks: {
      logMethod(this: Logger, args: Parameters<Logger["info"]>, method: Logger["info"]) {
        // Given an error only, pino would log its message unredacted.
        const [first] = args as unknown[];
        const told = first instanceof Error ? [{ error: first }, messageOf(first)] : (args as unknown[]);
        method.apply(
          this,
          told.map((arg) => (typeof arg === "string" ? redactText(arg) : arg)) as typeof args,
        );
      },
    },
  };
  return pino(options, to ?? standardError());
}
