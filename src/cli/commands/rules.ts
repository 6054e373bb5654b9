import type { Command } from "commander";
import { z } from "zod";
import { severity } from "../../contract/common.ts";
import { AwoooiError } from "../../lib/error.ts";
import { stringRecord } from "../alert-input.ts";
import { addGroup, addSubcommand, collect, pair, type Session } from "../command.ts";
import { readInput } from "../io.ts";
import type { Printer } from "../print.ts";
import { operationText } from "../views/approval-view.ts";
import { severityText } from "../views/severity-text.ts";
import type { ExplainInput, Explanation, RuleSources } from "./explain.ts";
import type { ClassifyOptions } from "./rules-classify.ts";
import type { TestOptions } from "./rules-test.ts";

type ExplainOptions = Omit<RuleSources, "severities"> & {
  severityWord?: RuleSources["severities"];
  json?: boolean;
  name?: string;
  severity?: string;
  label?: Record<string, string>;
  process?: string[];
  finding?: string[];
  host?: string[];
  expr?: string;
  file?: string;
};

const alert = z.object({
  labels: stringRecord,
  annotations: stringRecord.default({}),
  expr: z.string().optional(),
});
const alertFile = z.union([z.object({ alerts: z.array(alert).min(1) }), alert]);
type Alert = z.infer<typeof alert>;

async function alertsIn(session: Session, file: string): Promise<{ many: boolean; alerts: Alert[] }> {
  const text = await readInput(file, session.io.stdin);
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw new AwoooiError("invalid", `${file === "-" ? "stdin" : file} is not JSON.`);
  }
  const parsed = alertFile.safeParse(json);
  if (!parsed.success) {
    throw new AwoooiError("invalid", "This is not an alert: it needs `labels`, or a list `alerts`.");
  }
  return "alerts" in parsed.data
    ? { many: true, alerts: parsed.data.alerts }
    : { many: false, alerts: [parsed.data] };
}

function inputOf(found: Alert, options: ExplainOptions): ExplainInput {
  const { name, severity, label } = options;
  const { process: processes = [], host: hosts = [], finding: findings = [] } = options;
  const labels = {
    ...found.labels,
    ...label,
    ...(name ? { alertname: name } : {}),
    ...(severity ? { severity } : {}),
  };
  const { annotations } = found;
  return { labels, annotations, expr: options.expr ?? found.expr, processes, hosts, findings };
}

function targetText(target: Explanation["operation_target"]): string {
  if (target === null) return "none";
  return [target.cluster, target.namespace, target.kind, target.name].filter(Boolean).join(" / ");
}

/** Returns the fields on the alert's subject: the label that names it, ignored labels, and distinguishing ones. */
function subjectFields({ subject }: Explanation): [string, string][] {
  const named = subject.label === null ? "no label names one" : `label ${subject.label}: ${subject.name}`;
  const ignored = subject.ignored.map(({ labels, because }) => `${labels.join(", ")}: ${because}`);
  const telling = Object.entries(subject.telling).map(([name, value]) => `${name}=${value}`);
  return [
    ["subject", subject.kind === null ? named : `${subject.kind}, by ${named}`],
    ...ignored.map((text): [string, string] => ["ignored", text]),
    ["distinguished", telling.length === 0 ? "by its workload only" : `by ${telling.join(", ")}`],
  ];
}

function decisionFields({ classification, decision, policy }: Explanation): [string, string][] {
  if (classification.heartbeat) return [["decision", "none: a heartbeat is recorded and opens no incident"]];
  if (decision === null || policy === null)
    return [["decision", "none: information is recorded and shown, but not decided on"]];
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
    ["severity", severityText(about.severity_by)],
    ...subjectFields(one),
    ["services", one.affected_services.join(", ") || "none"],
    ["target", targetText(one.operation_target)],
    ["fingerprint", about.fingerprint],
    ...decisionFields(one),
  ]);
  const others = one.matches.filter((match) => !match.decides);
  for (const { rule, reason, category } of others)
    out.line(`  also matches ${rule} (${category}): ${reason}`, "dim");
  for (const { rule_id, because, decides } of one.decision_rules)
    if (!decides) out.line(`  also fits ${rule_id}: ${because}`, "dim");
}

async function run(session: Session, options: ExplainOptions): Promise<void> {
  const { file, name } = options;
  if (!file && !name) throw new AwoooiError("invalid", "Give the alert's --name, or the alert with --file.");
  const { many, alerts } = file
    ? await alertsIn(session, file)
    : { many: false, alerts: [{ labels: {}, annotations: {} }] };
  const { explain, rulesFrom } = await import("./explain.ts");
  const { severityWord: severities } = options;
  const rules = rulesFrom({ ...options, ...(severities === undefined ? {} : { severities }) });
  const explained = alerts.map((one) => explain(inputOf(one, options), rules));
  if (options.json) return session.out.json(JSON.stringify(many ? { items: explained } : explained[0]));
  explained.forEach((one, index) => {
    if (index > 0) session.out.line();
    printExplanation(session.out, one);
  });
}

// Loaded on demand: the stages behind these take most of a second to load, for which no other command should wait.
async function classifyStdin(session: Session, options: ClassifyOptions): Promise<void> {
  const { classifyLines } = await import("./rules-classify.ts");
  await classifyLines(session, options);
}

async function test(session: Session, files: readonly string[], options: TestOptions): Promise<void> {
  const { runRuleTests } = await import("./rules-test.ts");
  runRuleTests(session, files, options);
}

function severityPair(text: string, before: RuleSources["severities"] = {}): RuleSources["severities"] {
  const [[word, level] = []] = Object.entries(pair(text, undefined));
  const parsed = severity.safeParse(level);
  if (word === undefined || !parsed.success)
    throw new AwoooiError("invalid", `${text}: a word is P0, P1, P2 or P3, as in panic=P0.`);
  return { ...before, [word]: parsed.data };
}

const CLASSIFICATION = ["--classification <file>", "your rules, before the shipped ones"] as const;
const RULES = ["--rules <file>", "decision rules instead of the shipped ones"] as const;

export function addRules(program: Command, session: Session): void {
  const rules = addGroup(program, "rules", "explain and test rules; needs no server");
  addSubcommand(rules, "explain", "show which rules match an alert, and what would be proposed", [
    "awoooi rules explain --name KubePodCrashLooping --label namespace=prod --label deployment=api",
    "awoooi rules explain --name DemoShopDown --label process=demo-shop --process demo-shop",
    "awoooi rules explain --name KubePodCrashLooping --label deployment=api --finding bad_rollout",
    "awoooi rules explain --name Slow --expr 'rate(pg_stat_activity_count[5m]) > 100'",
    "awoooi rules explain --file alert.json --json",
  ])
    .option("--name <name>", "the alert's name")
    .option("--severity <severity>", "the sender's severity: critical, error, warning, …")
    .option("--severity-word <word=P0>", "a word of intake.severities; repeatable", severityPair)
    .option("--label <key=value>", "a label; repeatable", pair)
    .option("--expr <promql>", "the expression that fires it")
    .option("--process <name>", "a process that the server supervises; repeatable", collect)
    .option("--finding <code>", "the code of a finding about the target; repeatable", collect)
    .option("--host <name>", "a host that the server reaches over SSH; repeatable", collect)
    .option("--file <file>", "an alert, or a webhook body with several, as JSON; - is stdin")
    .option(...RULES)
    .option(...CLASSIFICATION)
    .addHelpText(
      "after",
      "\nAssumes the mode suggest, and that only the named processes and hosts can be acted on.",
    )
    .action((options: ExplainOptions) => run(session, options));
  addSubcommand(rules, "classify", "classify alerts, as JSON lines on stdin: one output line for each", [
    "awoooi rules classify < alerts.jsonl",
    `echo '{"alertname":"Slow","expr":"pg_up == 0"}' | awoooi rules classify`,
  ])
    .option(...CLASSIFICATION)
    .option("--site <name>", "an alert name of intake.external_sites; repeatable", collect)
    .addHelpText(
      "after",
      "\nA line has alertname, severity, labels, annotations and expr; all but the name may be missing.",
    )
    .action((options: ClassifyOptions) => classifyStdin(session, options));
  addSubcommand(rules, "test [files...]", "run test cases for the rules; without a file the shipped ones", [
    "awoooi rules test",
    "awoooi rules test my-cases.yaml --rules my-rules.yaml --classification my-classification.yaml",
  ])
    .option(...RULES)
    .option(...CLASSIFICATION)
    .addHelpText("after", "\nExit code 1 when a case fails.")
    .action((files: string[], options: TestOptions) => test(session, files, options));
}
