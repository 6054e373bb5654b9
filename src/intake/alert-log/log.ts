import { authorise } from "../../access/index.ts";
import type { AlertOutcome, OperationLogEntry, OperationLogQuery } from "../../contract/operation-log.ts";
import type { Ctx } from "../../db/ctx.ts";
import { type Actor, actorLabel } from "../../lib/actor.ts";
import { redactText, redactTexts } from "../../lib/redact.ts";
import { labelsForLog } from "../normalise/bounded.ts";
import { allowsRepair } from "../normalise/repair-restrictions.ts";
import { type AlertLogRow, alertLogPage, insertAlertLog } from "./store.ts";

/** An accepted alert with its outcome. */
export type AcceptedAlert = {
  /** null: no call brought it, but a deadline that passed. */
  receipt: number | null;
  alert_id: string;
  /** null: it made no incident and joined none. */
  incident_id: string | null;
  outcome: AlertOutcome;
  detail: string | null;
  alert_name: string;
  labels: Readonly<Record<string, string>>;
  /** How many alerts of the receipt it stands for. */
  alerts: number;
};

/** Writes accepted alerts into the operation log, in the transaction that decides their outcome. */
export async function logAccepted(ctx: Ctx, accepted: readonly AcceptedAlert[]): Promise<void> {
  authorise(ctx.actor, "log alerts", { people: "none", system: ["intake"] });
  const at = ctx.clock.now();
  await insertAlertLog(
    ctx,
    accepted.map(({ labels, ...one }) => ({ ...one, at, labels: labelsForLog(labels) })),
  );
}

const OUTCOMES: Readonly<Record<AlertOutcome, (row: AlertLogRow) => string>> = {
  opened: ({ incident_id }) => `opened ${incident_id}`,
  converged: ({ incident_id }) => `is counted on ${incident_id}`,
  silenced: ({ detail }) => `opens no incident: silenced by ${detail}`,
  held: () => "opens no incident yet: another sender reported it resolved",
  heartbeat: () => "opens no incident: it is a heartbeat",
  progress: () => "opens no incident: it is progress of a pipeline",
  over: () => "opens no incident: it was resolved when first received",
  known: ({ alerts, detail }) => `${alerts === 1 ? "" : `and ${alerts - 1} more `}repeated: ${detail}`,
  recorded: () => "opens no incident",
};

const INTAKE: Actor = { kind: "system", name: "intake" };

function present(row: AlertLogRow): OperationLogEntry {
  const { seq, at, incident_id, alert_id, alert_name, receipt, alerts } = row;
  const outcome = row.outcome as AlertOutcome;
  const labels = redactTexts(row.labels);
  return {
    seq,
    at: at.toISOString(),
    event: "ALERT_RECEIVED",
    incident_id,
    actor: actorLabel(INTAKE),
    actor_kind: INTAKE.kind,
    text: redactText(`${alert_name} ${OUTCOMES[outcome](row)}`),
    data: {
      ...{ alert_id, alert_name, labels, receipt, outcome, alerts },
      auto_repair: allowsRepair(row.labels.auto_repair),
    },
    operation: null,
  };
}

/** Returns accepted alerts, newest first, up to `limit` + 1 entries; of one incident or of all. */
export async function acceptedAlerts(
  ctx: Ctx,
  query: Pick<OperationLogQuery, "incident_id" | "limit" | "cursor">,
): Promise<OperationLogEntry[]> {
  authorise(ctx.actor, "read the operation log", { people: "viewer" });
  return (await alertLogPage(ctx, query)).map(present);
}
