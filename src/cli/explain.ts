import type { Decision } from "../contract/decision.ts";
import type { OperationTarget } from "../contract/incident.ts";
import { judge, loadRules, propose } from "../decision/index.ts";
import { operationTarget } from "../incident/index.ts";
import { affectedServices, classify, loadClassification, normalise } from "../intake/index.ts";
import { systemClock } from "../lib/clock.ts";
import { inWords } from "../operation/index.ts";

/** An alert as far as its way through the rules depends on it. */
export type ExplainInput = {
  labels: Record<string, string>;
  annotations: Record<string, string>;
  /** Names of processes that the server would supervise. */
  processes: readonly string[];
};

export type Explanation = {
  alert: {
    alert_name: string;
    alert_type: string;
    /** null: none is given, so that it would follow from the risk of what is proposed. */
    severity: string | null;
    namespace: string;
    cluster: string;
    target_resource: string;
    fingerprint: string;
    labels: Record<string, string>;
  };
  classification: {
    rule: string;
    reason: string;
    category: string;
    notification_type: string;
    heartbeat: boolean;
  };
  affected_services: string[];
  operation_target: OperationTarget | null;
  /** null for a sign of life, about which nothing is decided. */
  decision:
    | (Pick<Decision["proposal"], "action" | "operation" | "risk_level" | "reasoning"> & {
        rule_id: string;
        because: string;
      })
    | null;
  policy: Decision["policy"] | null;
};

/**
 * What the shipped rules make of an alert, without a server. The mode is `suggest`, and of all
 * operations only `process.restart` has something that can carry it out.
 */
export function explain(input: ExplainInput): Explanation {
  const classification = loadClassification();
  const { labels, annotations } = input;
  const source = {
    status: "firing" as const,
    labels,
    annotations,
    starts_at: null,
    ends_at: null,
    source_fingerprint: null,
    generator_url: null,
  };
  const alert = normalise(source, "alertmanager", systemClock.now(), classification);
  const { alert_name, alert_type, severity, namespace, cluster, target_resource, fingerprint } = alert;
  const services = affectedServices(alert);
  const target = operationTarget(alert, services, { processes: input.processes });
  return {
    alert: { alert_name, alert_type, severity, namespace, cluster, target_resource, fingerprint, labels },
    classification: classify(classification, { alert_name, severity: labels.severity, labels }),
    affected_services: services,
    operation_target: target,
    ...(alert.heartbeat ? { decision: null, policy: null } : decisionAbout(alert, target)),
  };
}

function decisionAbout(
  alert: { alert_name: string; notification_type: string; alert_category: string },
  target: OperationTarget | null,
): Pick<Explanation, "decision" | "policy"> {
  const proposal = propose(loadRules(), { alert_names: [alert.alert_name], target });
  const { operation, rule_id, because, risk_level, reasoning } = proposal;
  const policy = judge({
    mode: "suggest",
    notification_type: alert.notification_type,
    category: alert.alert_category,
    operation,
    executable: operation.kind === "process.restart",
  });
  return {
    decision: { rule_id, because, action: inWords(operation), operation, risk_level, reasoning },
    policy,
  };
}
