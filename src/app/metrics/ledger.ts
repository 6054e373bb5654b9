import { Counter, type Registry } from "prom-client";
import { type AuditEntry, entriesAfter } from "../../audit/index.ts";
import type { Ctx } from "../../db/ctx.ts";

type Labels = Record<string, unknown>;
type Rule = { name: string; help: string; labels: (data: Labels) => Labels; known?: Labels[] };

const PAGE = 1_000;
// Pages per update; further entries are counted at the next one.
const PAGES = 20;

const each = (label: string, values: readonly string[]) => values.map((value) => ({ [label]: value }));
const part = (value: unknown) => (value !== null && typeof value === "object" ? (value as Labels) : {});

const approvals = (outcome: string): Rule => ({
  name: "awoooi_approvals_total",
  help: "Approvals that came to an end, by outcome.",
  labels: () => ({ outcome }),
  known: [{ outcome }],
});

/** The counters of each action in the ledger. Label values are our own, never external text. */
const RULES: Record<string, readonly Rule[]> = {
  "incident.opened": [
    {
      name: "awoooi_incidents_opened_total",
      help: "Incidents opened, by severity.",
      labels: ({ severity }) => ({ severity }),
      known: each("severity", ["P0", "P1", "P2", "P3"]),
    },
  ],
  "incident.reopened": [
    {
      name: "awoooi_incidents_reopened_total",
      help: "Incidents reopened, by whether a repair had not held.",
      labels: ({ repair_failed }) => ({ repair_failed }),
      known: each("repair_failed", ["true", "false"]),
    },
  ],
  "incident.flapping": [
    {
      name: "awoooi_incidents_flapping_total",
      help: "Incidents that began to flap: that resolved repeatedly.",
      labels: () => ({}),
      known: [{}],
    },
  ],
  "learning.disposition": [
    {
      name: "awoooi_incidents_resolved_total",
      help: "Incidents resolved, by disposition: how the anomaly ended.",
      labels: ({ disposition }) => ({ disposition }),
      known: each("disposition", ["auto_repair", "human_approved", "cold_start_trust", "manual_resolved"]),
    },
  ],
  "decision.made": [
    {
      name: "awoooi_decisions_total",
      help: "Decisions made, by what made them and by what policy said: ask, manual, none.",
      labels: ({ source, policy }) => ({ source, outcome: part(policy).outcome }),
      known: each("outcome", ["ask", "manual", "none"]).map((one) => ({ source: "expert_system", ...one })),
    },
  ],
  "approval.requested": [
    {
      name: "awoooi_approvals_requested_total",
      help: "Approvals asked for.",
      labels: () => ({}),
      known: [{}],
    },
  ],
  "approval.approved": [approvals("approved")],
  "approval.rejected": [approvals("rejected")],
  "approval.expired": [approvals("expired")],
  "approval.superseded": [approvals("superseded")],
  "approval.withdrawn": [approvals("withdrawn")],
  "execution.started": [
    {
      name: "awoooi_execution_attempts_total",
      help: "Attempts to act, by kind of operation.",
      labels: ({ operation }) => ({ operation: part(operation).kind }),
    },
  ],
  "execution.ended": [
    {
      name: "awoooi_executions_total",
      help: "Executions that ended, by kind of operation and status: success, failed, refused.",
      labels: ({ operation, status }) => ({ operation: part(operation).kind, status }),
    },
    {
      name: "awoooi_verifications_total",
      help: "Verifications, by result.",
      labels: ({ result }) => ({ result }),
      known: each("result", ["success", "degraded", "failed", "inconclusive"]),
    },
  ],
  "gateway.call": [
    {
      name: "awoooi_gateway_refusals_total",
      help: "Calls that a gate refused, by its number and error code.",
      labels: ({ gate, code }) => ({ gate, code }),
    },
  ],
};

/** Counts the ledger's entries since the previous call. */
export type LedgerCounters = (ctx: Ctx) => Promise<void>;

/**
 * Creates counters fed by the audit ledger, which has every committed change exactly once. They count from
 * `from`, the ledger's last `seq` when the process started, and reset with the process, as counters do.
 */
export function ledgerCounters(registry: Registry, from: number): LedgerCounters {
  const counters = new Map<string, Counter>();
  for (const { name, help, labels, known = [] } of Object.values(RULES).flat()) {
    const labelNames = Object.keys(labels({}));
    const counter = counters.get(name) ?? new Counter({ name, help, labelNames, registers: [registry] });
    counters.set(name, counter);
    for (const values of known) counter.inc(values as Record<string, string>, 0);
  }
  const count = ({ action, data }: AuditEntry) => {
    for (const { name, labels } of RULES[action] ?? []) {
      const values = labels(data);
      // An entry without one of the labels is not counted: no verification took place, or no gate refused.
      if (Object.values(values).some((value) => value === undefined || value === null)) continue;
      counters.get(name)?.inc(values as Record<string, string>);
    }
  };
  let read = from;
  return async (ctx) => {
    for (let page = 0; page < PAGES; page += 1) {
      const entries = await entriesAfter(ctx, read, PAGE);
      for (const entry of entries) count(entry);
      read = entries.at(-1)?.seq ?? read;
      if (entries.length < PAGE) return;
    }
  };
}
