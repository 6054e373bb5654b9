import { type DestinationStream, type Logger, pino } from "pino";
import pretty from "pino-pretty";
import { messageOf } from "../lib/error.ts";
import { logFields } from "../lib/log.ts";
import { redact, redactText } from "../lib/redact.ts";
import type { Config } from "./config-schema.ts";

/** An error as JSON would lose it: its text and where it came from. */
function plain(value: unknown): unknown {
  return value instanceof Error ? { message: messageOf(value), stack: value.stack } : value;
}

const standardError = (): DestinationStream =>
  process.stderr.isTTY
    ? pretty({ destination: 2, ignore: "pid,hostname", translateTime: "HH:MM:ss", sync: true })
    : pino.destination({ dest: 2, sync: true });

/**
 * The process's log, on standard error: lines for people on a terminal, JSON otherwise. Credentials are
 * taken out of every field and text. `to` takes the JSON elsewhere.
 */
export function createLog(level: Config["server"]["log_level"], to?: DestinationStream): Logger {
  const options = {
    level,
    base: null,
    // What is being worked on, from whoever began it.
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
        // pino would take an error's text as it is.
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
