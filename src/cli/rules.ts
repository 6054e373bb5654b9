import type { Command } from "commander";
import { z } from "zod";
import { AwoooiError } from "../lib/error.ts";
import { operationText } from "./approval-view.ts";
import { collect, group, leaf, pair, type Session } from "./command.ts";
import type { ExplainInput, Explanation } from "./explain.ts";
import { readInput } from "./io.ts";
import type { Printer } from "./print.ts";

type ExplainOptions = {
  json?: boolean;
  name?: string;
  severity?: string;
  label?: Record<string, string>;
  process?: string[];
  file?: string;
};

// Senders that build bodies by hand put numbers and booleans where texts belong.
const texts = z
  .record(z.string(), z.union([z.string(), z.number(), z.boolean()]))
  .transform((record) => Object.fromEntries(Object.entries(record).map(([key, value]) => [key, `${value}`])));
const alert = z.object({ labels: texts, annotations: texts.default({}) });
const alertFile = z.union([z.object({ alerts: z.array(alert).min(1) }), alert]);
type Alert = z.infer<typeof alert>;

async function alertsIn(session: Session, file: string): Promise<{ many: boolean; alerts: Alert[] }> {
  const text = await readInput(file, session.io.stdin);
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw new AwoooiError("invalid", `What ${file === "-" ? "stdin" : file} holds is not JSON.`);
  }
  const parsed = alertFile.safeParse(json);
  if (!parsed.success) {
    throw new AwoooiError("invalid", "This is no alert: it needs `labels`, or a list `alerts` of such.");
  }
  return "alerts" in parsed.data
    ? { many: true, alerts: parsed.data.alerts }
    : { many: false, alerts: [parsed.data] };
}

function inputOf(found: Alert, options: ExplainOptions): ExplainInput {
  const { name, severity, label, process: processes = [] } = options;
  const labels = {
    ...found.labels,
    ...label,
    ...(name ? { alertname: name } : {}),
    ...(severity ? { severity } : {}),
  };
  return { labels, annotations: found.annotations, processes };
}

function targetText(target: Explanation["operation_target"]): string {
  if (target === null) return "none";
  return [target.cluster, target.namespace, target.kind, target.name].filter(Boolean).join(" / ");
}

function decisionFields({ decision, policy }: Explanation): [string, string][] {
  if (decision === null || policy === null) {
    return [["decision", "none: a sign of life is recorded and opens no incident"]];
  }
  return [
    ["decision", `${decision.rule_id}: ${decision.because}`],
    ["proposes", decision.action],
    ["operation", operationText(decision)],
    ["risk", decision.risk_level],
    ["reasoning", decision.reasoning],
    ["policy", `${policy.outcome} (${policy.rule}): ${policy.reason}`],
  ];
}

function printExplanation(out: Printer, one: Explanation): void {
  const { alert: about, classification } = one;
  out.line(about.alert_name, "bold");
  out.fields([
    ["rule", `${classification.rule}: ${classification.reason}`],
    ["category", `${classification.category} (${classification.notification_type})`],
    ["alert type", about.alert_type],
    ["severity", about.severity ?? "none given: it follows from the risk"],
    ["services", one.affected_services.join(", ") || "none"],
    ["target", targetText(one.operation_target)],
    ["fingerprint", about.fingerprint],
    ...decisionFields(one),
  ]);
}

async function run(session: Session, options: ExplainOptions): Promise<void> {
  const { file, name } = options;
  if (!file && !name) throw new AwoooiError("invalid", "Give the alert's --name, or the alert with --file.");
  const { many, alerts } = file
    ? await alertsIn(session, file)
    : { many: false, alerts: [{ labels: {}, annotations: {} }] };
  // The stages behind it take most of a second to load, which no other command should wait for.
  const { explain } = await import("./explain.ts");
  const explained = alerts.map((one) => explain(inputOf(one, options)));
  if (options.json) return session.out.json(JSON.stringify(many ? { items: explained } : explained[0]));
  explained.forEach((one, index) => {
    if (index > 0) session.out.line();
    printExplanation(session.out, one);
  });
}

export function addRules(program: Command, session: Session): void {
  const rules = group(program, "rules", "what the rules say; needs no server");
  leaf(rules, "explain", "show which rules match an alert, and what would be proposed", [
    "awoooi rules explain --name KubePodCrashLooping --label namespace=prod --label deployment=api",
    "awoooi rules explain --name DemoShopDown --label process=demo-shop --process demo-shop",
    "awoooi rules explain --file alert.json --json",
  ])
    .option("--name <name>", "the alert's name")
    .option("--severity <severity>", "critical, high, warning, low, info or none")
    .option("--label <key=value>", "a label; may come again", pair)
    .option("--process <name>", "a process that the server supervises; may come again", collect)
    .option("--file <file>", "an alert, or a webhook body with several, as JSON; - is stdin")
    .addHelpText(
      "after",
      "\nBy the shipped rules, in the mode suggest, where only supervised processes can be acted on.",
    )
    .action((options: ExplainOptions) => run(session, options));
}
