import { readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { classify, loadClassification } from "../../src/intake/index.ts";

const texts = z.record(z.string(), z.coerce.string()).nullish();
const alertRule = z.object({
  alertname: z.string(),
  severity: z.string().nullish(),
  expr: z.string().nullish(),
  labels: texts,
  annotations: texts,
});
type AlertRule = z.infer<typeof alertRule>;

const rulesIn = (file: string): AlertRule[] =>
  readFileSync(file, "utf8")
    .split("\n")
    .filter((line) => line.trim() !== "")
    .map((line) => alertRule.parse(JSON.parse(line)));

function report(title: string, placed: readonly { name: string; category: string; rule: string }[]): void {
  const groups = [...Map.groupBy(placed, (one) => one.category)].sort((a, b) => b[1].length - a[1].length);
  console.log(`\n${title}: ${placed.length} alert rules`);
  for (const [category, list] of groups) {
    const share = ((100 * list.length) / placed.length).toFixed(1);
    console.log(`  ${category.padEnd(20)} ${String(list.length).padStart(5)}  ${share.padStart(5)} %`);
  }
  const rest = new Set(placed.filter((one) => one.rule === "general").map((one) => one.name));
  console.log(`  in general: ${[...rest].join(", ") || "none"}`);
}

/** How the shipped classification places the alert rules of others in `dir`: with all that is known, and by name alone. */
export async function classification(dir: string): Promise<void> {
  const table = loadClassification();
  const rules = rulesIn(join(dir, "alerts.jsonl"));
  const place = (of: (one: AlertRule) => Parameters<typeof classify>[1]) =>
    rules.map((one) => ({ name: one.alertname, ...classify(table, of(one)) }));
  const whole = place(({ alertname, severity, labels, annotations, expr }) => ({
    alert_name: alertname,
    severity: severity ?? undefined,
    labels: labels ?? {},
    annotations: annotations ?? {},
    expr: expr ?? undefined,
  }));
  report("Classification, with expression, labels and annotations", whole);
  report(
    "Classification, by name alone",
    place(({ alertname }) => ({ alert_name: alertname, labels: {} })),
  );
}
