import { messageOf } from "./error.ts";
import type { Log } from "./log.ts";

const MINUTE = 60_000;
/** The number of different lines that are remembered; beyond it all are forgotten and may be logged again. */
const KNOWN = 500;

/**
 * Returns a log that writes the same warning or error at most once a minute, with the number of those left out
 * as `repeated`: during an outage of the database every request fails with the same words. Lines that `alike`
 * maps to one text are the same, such as those that differ in a count. `now` is in milliseconds.
 */
export function withoutRepetition(
  log: Log,
  alike: (text: string) => string = (text) => text,
  now: () => number = () => performance.now(),
): Log {
  const told = new Map<string, { until: number; repeated: number }>();
  const once =
    (level: "warn" | "error"): Log["warn"] =>
    (fields, text) => {
      const words = Object.values(fields).filter((one) => typeof one === "string" || one instanceof Error);
      const key = alike([level, text, ...words.map(messageOf)].join("\n"));
      const before = told.get(key);
      if (before !== undefined && now() < before.until) {
        before.repeated += 1;
        return log.debug(fields, text);
      }
      if (told.size >= KNOWN) told.clear();
      told.set(key, { until: now() + MINUTE, repeated: 0 });
      const repeated = before?.repeated ?? 0;
      log[level](repeated === 0 ? fields : { ...fields, repeated }, text);
    };
  return {
    debug: (fields, text) => log.debug(fields, text),
    info: (fields, text) => log.info(fields, text),
    warn: once("warn"),
    error: once("error"),
  };
}
