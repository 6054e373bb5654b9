import { classify, loadClassification } from "../../intake/index.ts";
import { alertInput } from "../alert-input.ts";
import type { Session } from "../command.ts";
import { alertLines } from "../views/alert-lines.ts";

export type ClassifyOptions = { classification?: string; site?: string[] };

/** Prints one line of JSON for each input line; for a line that is no alert, an error, and sets exit code 2. */
export async function classifyLines(session: Session, options: ClassifyOptions): Promise<void> {
  const rules = loadClassification(options.site, options.classification);
  for await (const line of alertLines(session.io.stdin, alertInput)) {
    if ("error" in line) {
      session.out.json(JSON.stringify({ error: line.error }));
      session.exit(2);
      continue;
    }
    const { labels, annotations, expr } = line.value;
    const alertname = labels.alertname ?? "";
    const { severity } = labels;
    const found = classify(rules, { alert_name: alertname, severity, labels, annotations, expr });
    const { category, notification_type, rule } = found;
    session.out.json(JSON.stringify({ alertname, category, notification_type, rule }));
  }
}
