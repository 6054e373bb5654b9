import type { Severity } from "../../contract/common.ts";
import type { Decision } from "../../contract/decision.ts";
import type { OperationTarget } from "../../contract/incident.ts";
import { evaluatePolicy, fittingRules, loadRules, type Rules } from "../../decision/index.ts";
import { operationTarget } from "../../incident/index.ts";
import {
  affectedServices,
  type Classification,
  classify,
  loadClassification,
  matchingRules,
  normalise,
  type SaidSeverity,
  saidSeverity,
  severityWord,
  subjectOfAlert,
  tellingLabels,
} from "../../intake/index.ts";
import { systemClock } from "../../lib/clock.ts";
import { inWords } from "../../operation/index.ts";

/** The parts of an alert, and of the installation, on which the rules depend. */
export type ExplainInput = {
  labels: Record<string, string>;
  annotations: Record<string, string>;
  /** The expression that fires it, if known. */
  expr?: string | undefined;
  /** Names of processes that the server would supervise. */
  processes: readonly string[];
  /** Codes of findings about its target. */
  findings?: readonly string[];
  /** Names of hosts that the server would reach. */
  hosts?: readonly string[];
};

export type Explanation = {
  alert: {
    alert_name: string;
    alert_type: string;
    /** null: none is given, so it would follow from the risk of the proposed operation. */
    severity: string | null;
    /** The sender's word for it, and the word of the table that it matched. */
    severity_by: SaidSeverity | null;
    namespace: string;
    cluster: string;
    target_resource: string;
    fingerprint: string;
    anomaly_key: string;
    labels: Record<string, string>;
  };
  subject: {
    kind: string | null;
    name: string;
    /** The label that names it; null: none does, and the alert's name is used. */
    label: string | null;
    /** Labels that were ignored, and why. */
    ignored: { labels: string[]; because: string }[];
    /** Labels that distinguish this alert from others of its name and subject: part of the fingerprint. */
    telling: Record<string, string>;
  };
  classification: {
    rule: string;
    reason: string;
    category: string;
    notification_type: string;
    heartbeat: boolean;
  };
  /** All classification rules that match, in order; the first decides. */
  matches: { rule: string; reason: string; category: string; notification_type: string; decides: boolean }[];
  affected_services: string[];
  operation_target: OperationTarget | null;
  /** null for a heartbeat and for information, about which nothing is decided. */
  decision:
    | (Pick<Decision["proposal"], "action" | "operation" | "risk_level" | "reasoning"> & {
        rule_id: string;
        because: string;
      })
    | null;
  policy: Decision["policy"] | null;
  /** All decision rules that fit the alert, in order; the first decides. */
  decision_rules: { rule_id: string; because: string; decides: boolean }[];
};

/** An installation's own rule files and severity words; absent: the shipped ones. */
export type RuleSources = { rules?: string; classification?: string; severities?: Record<string, Severity> };
export type RuleSet = { rules: Rules; classification: Classification };

/** Loads the rules. Throws `invalid` with what is wrong with the files. */
export function rulesFrom({ rules, classification, severities }: RuleSources): RuleSet {
  return { rules: loadRules(rules), classification: loadClassification([], classification, [], severities) };
}

/**
 * Applies the rules to an alert, without a server. Assumes the mode `suggest`, and that only `process.restart` has an
 * executor, and `host.*` operations if any hosts are given.
 */
export function explain(input: ExplainInput, { rules, classification }: RuleSet): Explanation {
  const { labels, annotations, expr } = input;
  const source = {
    status: "firing" as const,
    labels,
    annotations,
    starts_at: null,
    ends_at: null,
    source_fingerprint: null,
    generator_url: null,
    ...(expr === undefined ? {} : { expr }),
  };
  const alert = normalise(source, "alertmanager", systemClock.now(), classification);
  const { alert_name, alert_type, severity, namespace, cluster, target_resource } = alert;
  const { fingerprint, anomaly_key } = alert;
  const subject = subjectOfAlert(alert);
  const services = affectedServices(alert);
  const hosts = (input.hosts ?? []).map((name) => ({ name, names: [name] }));
  const target = operationTarget(alert, services, { processes: input.processes, hosts });
  const facts = { alert_name, severity: labels.severity, labels, annotations, expr };
  return {
    alert: {
      alert_name,
      alert_type,
      severity,
      severity_by: saidSeverity(severityWord(labels), classification.severities),
      namespace,
      cluster,
      target_resource,
      fingerprint,
      anomaly_key,
      labels,
    },
    subject: {
      kind: subject.kind,
      name: subject.name,
      label: subject.label,
      ignored: subject.ignored,
      telling: Object.fromEntries(tellingLabels(subject, labels, alert_type)),
    },
    classification: classify(classification, facts),
    matches: matchingRules(classification, facts),
    affected_services: services,
    operation_target: target,
    ...decisionAbout(rules, alert, target, { codes: input.findings ?? [], reachesHosts: hosts.length > 0 }),
  };
}

function decisionAbout(
  rules: Rules,
  alert: { alert_name: string; notification_type: string; alert_category: string; heartbeat: boolean },
  target: OperationTarget | null,
  known: { codes: readonly string[]; reachesHosts: boolean },
): Pick<Explanation, "decision" | "policy" | "decision_rules"> {
  const { alert_name, notification_type, alert_category: category, heartbeat } = alert;
  // Heartbeats and information: no decision rule applies.
  const nothing = heartbeat || notification_type === "TYPE-1";
  const findings = known.codes.map((code) => ({ code, title: "given as an option", evidence: [] }));
  const fitting = nothing ? [] : fittingRules(rules, { alert_names: [alert_name], target, findings });
  const [proposal] = fitting;
  if (proposal === undefined) return { decision: null, policy: null, decision_rules: [] };
  const { operation, rule_id, because, risk_level, reasoning } = proposal;
  const executable =
    operation.kind === "process.restart" || (known.reachesHosts && operation.kind.startsWith("host."));
  return {
    decision: { rule_id, because, action: inWords(operation), operation, risk_level, reasoning },
    policy: evaluatePolicy({
      mode: "suggest",
      notification_type,
      category,
      operation,
      executable,
      playbook: false,
    }),
    decision_rules: fitting.map((one, index) => ({
      rule_id: one.rule_id,
      because: one.because,
      decides: index === 0,
    })),
  };
}
