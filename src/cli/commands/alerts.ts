import { type Command, InvalidArgumentError, Option } from "commander";
import { z } from "zod";
import { type AlertResult, webhookAnswer } from "../../contract/webhook.ts";
import { saidSeverity } from "../../intake/index.ts";
import { systemClock } from "../../lib/clock.ts";
import { AwoooiError } from "../../lib/error.ts";
import { urlPath } from "../../lib/url-path.ts";
import { alertmanagerBody } from "../alert-body.ts";
import { parseAnswer, request, secretOf } from "../client.ts";
import { addGroup, addSubcommand, pair, type Session } from "../command.ts";
import { readInput } from "../io.ts";
import type { Printer } from "../print.ts";
import { severityText } from "../views/severity-text.ts";
import { addAlertsList } from "./alerts-list.ts";

type SendOptions = {
  json?: boolean;
  file?: string;
  name?: string;
  severity?: string;
  label?: Record<string, string>;
  annotation?: Record<string, string>;
  summary?: string;
  namespace?: string;
  resolved?: boolean;
  startsAt?: Date;
  fingerprint?: string;
};

const timeWithZone = z.iso.datetime({ offset: true });

function time(text: string): Date {
  if (timeWithZone.safeParse(text).success) return new Date(text);
  throw new InvalidArgumentError("It must be a time such as 2026-07-01T12:00:00Z.");
}

function bodyOfOptions(options: SendOptions): { body: string; starts_at: Date } {
  const { name, severity, namespace, summary, resolved = false, startsAt } = options;
  if (!name) throw new AwoooiError("invalid", "Give the alert's --name, or a whole body with --file.");
  // As in Alertmanager's notices: without the start, the end could lie before it and would be invalid.
  if (resolved && startsAt === undefined) {
    const words = "--resolved needs the --starts-at that `alerts send` printed for the firing alert.";
    throw new AwoooiError("invalid", words);
  }
  const now = systemClock.now();
  const starts_at = startsAt ?? now;
  const body = alertmanagerBody({
    name,
    labels: { ...options.label, ...(severity ? { severity } : {}), ...(namespace ? { namespace } : {}) },
    annotations: { ...options.annotation, ...(summary ? { summary } : {}) },
    resolved,
    starts_at,
    ends_at: resolved ? now : null,
    fingerprint: options.fingerprint,
  });
  return { body: JSON.stringify(body), starts_at };
}

async function bodyOfFile(session: Session, file: string): Promise<string> {
  const text = await readInput(file, session.io.stdin);
  try {
    JSON.parse(text);
  } catch {
    throw new AwoooiError("invalid", `${file === "-" ? "stdin" : file} is not JSON.`);
  }
  return text;
}

function resultLines(out: Printer, result: AlertResult): string[] {
  const { incident_id, converged, message } = result;
  if (incident_id === null) return [result.success ? `${message}: no incident` : message];
  const { hit_count, risk_level, suggested_action } = result;
  const risk = risk_level === null ? "" : ` (${risk_level} risk)`;
  return [
    `${converged ? "counted on" : "opened"} ${incident_id} (hits: ${hit_count})`,
    ...(suggested_action === null ? [] : [`  suggested: ${suggested_action}${risk}`]),
    `  ${message}`,
    // The plan may change once the target has been investigated: this command shows the one that waits.
    `  ${out.awoooi("incidents", "show", incident_id)}`,
  ];
}

/** Returns the command that resolves the alert just sent, with the same labels and start time. */
function endingCommand(out: Printer, options: SendOptions, starts_at: Date): string {
  const words = ["alerts", "send", "--name", options.name ?? ""];
  if (options.severity) words.push("--severity", options.severity);
  if (options.namespace) words.push("--namespace", options.namespace);
  for (const [key, value] of Object.entries(options.label ?? {})) words.push("--label", `${key}=${value}`);
  if (options.fingerprint) words.push("--fingerprint", options.fingerprint);
  words.push("--starts-at", starts_at.toISOString(), "--resolved");
  return out.awoooi(...words);
}

async function send(session: Session, options: SendOptions): Promise<void> {
  const made =
    options.file === undefined
      ? bodyOfOptions(options)
      : { body: await bodyOfFile(session, options.file), starts_at: null };
  // A webhook is called with the sender's own token, not with the person's.
  const server = { ...session.server(), token: secretOf(session.io.env, "AWOOOI_WEBHOOK_TOKEN") };
  const answer = await request(server, "POST", urlPath`/webhooks/alertmanager`, { body: made.body });
  const told = parseAnswer(webhookAnswer, answer);
  if (!told.success) session.exit(1);
  const severity = saidSeverity(options.severity);
  if (severity?.by === "unknown_word") session.err.line(`severity: ${severityText(severity)}`, "yellow");
  if (options.json) return session.out.json(answer.text);
  if (told.results.length === 0 || told.message !== told.results[0]?.message) session.out.line(told.message);
  for (const line of told.results.flatMap((one) => resultLines(session.out, one))) session.out.line(line);
  if (made.starts_at !== null && !options.resolved && told.incident_id !== null) {
    session.out.line("To resolve it:");
    session.out.line(`  ${endingCommand(session.out, options, made.starts_at)}`);
  }
}

export function addAlerts(program: Command, session: Session): void {
  const alerts = addGroup(program, "alerts", "send alerts, as Alertmanager would, and list them");
  addAlertsList(alerts, session);
  addSubcommand(alerts, "send", "send an alert and show its result", [
    'awoooi alerts send --name DemoShopDown --severity critical --label process=demo-shop --summary "no answer"',
    "awoooi alerts send --name KubePodCrashLooping --namespace prod --label deployment=api",
    "awoooi alerts send --file body.json",
  ])
    .option("--name <name>", "the alert's name")
    .option("--severity <severity>", "critical, high, warning, low, info or none")
    .option("--label <key=value>", "a label; repeatable", pair)
    .option("--annotation <key=value>", "an annotation; repeatable", pair)
    .option("--summary <text>", "its summary, in one line")
    .option("--namespace <namespace>", "its namespace")
    .option("--resolved", "send it as resolved; needs --starts-at")
    .option("--starts-at <time>", "its start (default: now)", time)
    .option("--fingerprint <fingerprint>", "its fingerprint (default: computed from its labels)")
    .addOption(
      new Option("--file <file>", "send this body as it is; - is stdin").conflicts([
        "name",
        "severity",
        "label",
        "annotation",
        "summary",
        "namespace",
        "resolved",
        "startsAt",
        "fingerprint",
      ]),
    )
    .addHelpText(
      "after",
      "\nIf the server does not trust your address, set AWOOOI_WEBHOOK_TOKEN to one of its intake.bearer_tokens.",
    )
    .action((options: SendOptions) => send(session, options));
}
