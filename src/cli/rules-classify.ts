import { z } from "zod";
import { classify, loadClassification } from "../intake/index.ts";
import { messageOf } from "../lib/error.ts";
import { alertInput } from "./alert-input.ts";
import type { Session } from "./command.ts";

export type ClassifyOptions = { classification?: string; site?: string[] };

// What is longer is no alert: it is not kept in memory to be found out.
const LONGEST_LINE = 16 * 1024 * 1024;

/** Lines as they come, without their ends; null for one that is too long. */
async function* linesOf(pieces: AsyncIterable<string>): AsyncIterable<string | null> {
  let held = "";
  let tooLong = false;
  for await (const piece of pieces) {
    const parts = piece.split("\n");
    const rest = parts.pop() ?? "";
    for (const part of parts) {
      yield tooLong ? null : held + part;
      held = "";
      tooLong = false;
    }
    tooLong ||= held.length + rest.length > LONGEST_LINE;
    held = tooLong ? "" : held + rest;
  }
  if (tooLong) yield null;
  else if (held !== "") yield held;
}

function parse(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    throw new Error("it is not JSON");
  }
}

/** One line of JSON out for each line in; where a line is no alert, an error in its place and exit code 2. */
export async function classifyLines(session: Session, options: ClassifyOptions): Promise<void> {
  const rules = loadClassification(options.site, options.classification);
  let number = 0;
  for await (const line of linesOf(session.io.stdin)) {
    number += 1;
    try {
      if (line === null) throw new Error("it is too long");
      const { labels, annotations, expr } = alertInput.parse(parse(line));
      const alertname = labels.alertname ?? "";
      const { severity } = labels;
      const found = classify(rules, { alert_name: alertname, severity, labels, annotations, expr });
      const { category, notification_type, rule } = found;
      session.out.json(JSON.stringify({ alertname, category, notification_type, rule }));
    } catch (error) {
      const issue = error instanceof z.ZodError ? error.issues[0] : undefined;
      const where = issue === undefined || issue.path.length === 0 ? "" : `${issue.path.join(".")}: `;
      const why = issue === undefined ? messageOf(error) : `${where}${issue.message}`;
      session.out.json(JSON.stringify({ error: `line ${number}: ${why}` }));
      session.exit(2);
    }
  }
}
