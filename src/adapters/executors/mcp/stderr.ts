import { createInterface } from "node:readline";
import { Readable, type Stream } from "node:stream";
import { clip } from "../../../lib/clip.ts";
import type { Log } from "../../../lib/log.ts";
import { redactText } from "../../../lib/redact.ts";

const MAX_LINE = 1_000;
const MAX_LINES = 200;

/** Copies a server's stderr into the log, redacted; at most 200 lines per process, 1,000 characters each. */
export function logStderr(stderr: Stream | null, server: string, log: Log): void {
  if (!(stderr instanceof Readable)) return;
  let lines = 0;
  createInterface({ input: stderr, crlfDelay: Number.POSITIVE_INFINITY }).on("line", (line) => {
    lines += 1;
    if (lines > MAX_LINES) return;
    const text = clip(redactText(line.slice(0, 2 * MAX_LINE)), MAX_LINE);
    log.info({ server, stderr: text }, "stderr of an MCP server");
    if (lines === MAX_LINES) log.warn({ server }, "stderr of an MCP server is too long: the rest is dropped");
  });
}
