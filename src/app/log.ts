import { type Logger, pino } from "pino";
import pretty from "pino-pretty";
import { redact, redactText } from "../lib/redact.ts";
import type { Config } from "./config-schema.ts";

/**
 * The process's log, on standard error: lines for people on a terminal, JSON otherwise. Credentials are
 * taken out of every field and text.
 */
export function createLog(level: Config["server"]["log_level"]): Logger {
  const options = {
    level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: {
      level: (label: string) => ({ level: label }),
      log: (fields: Record<string, unknown>) => redact(fields) as Record<string, unknown>,
    },
    hooks: {
      logMethod(this: Logger, args: Parameters<Logger["info"]>, method: Logger["info"]) {
        method.apply(
          this,
          args.map((arg) => (typeof arg === "string" ? redactText(arg) : arg)) as typeof args,
        );
      },
    },
  };
  const stream = process.stderr.isTTY
    ? pretty({ destination: 2, ignore: "pid,hostname", translateTime: "HH:MM:ss", sync: true })
    : pino.destination({ dest: 2, sync: true });
  return pino(options, stream);
}
