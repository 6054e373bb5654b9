import { createLog } from "../../src/app/log.ts";
import type { Log } from "../../src/lib/log.ts";

export type LogLine = Record<string, unknown> & { level: string; msg: string };

/** The server's own log, redaction and all, kept in memory instead of being written. */
export function capturedLog(): { log: Log; text: () => string; lines: () => LogLine[] } {
  let text = "";
  const log = createLog("debug", {
    write(line: string) {
      text += line;
    },
  });
  const lines = () =>
    text
      .split("\n")
      .filter(Boolean)
      .map((line) => JSON.parse(line) as LogLine);
  return { log, text: () => text, lines };
}
