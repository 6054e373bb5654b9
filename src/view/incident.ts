import { approvalKeys } from "../approval/index.ts";
import type { Incident } from "../contract/incident.ts";
import type { Ctx } from "../db/ctx.ts";
import { latestDecisions, shownState } from "../decision/index.ts";
import { executionStatuses, executionsOfApprovals, executionsUnderWay } from "../execution/index.ts";
import { frequencies, type IncidentRow, latestResolutions } from "../incident/index.ts";
import { kindOf } from "../lib/actor.ts";
import { silencesOfIncidents } from "../silence/index.ts";
import { activityOf } from "./activity.ts";
import { relationsOf } from "./relations.ts";

const iso = (date: Date | null) => date?.toISOString() ?? null;

function links({ incident_id, merged_into }: IncidentRow): Incident["links"] {
  const self = `/api/v1/incidents/${incident_id}`;
  return {
    self,
    timeline: `${self}/timeline`,
    evidence: `${self}/evidence`,
    alerts: `${self}/alerts`,
    decision: `${self}/decision`,
    executions: `${self}/executions`,
    ...(merged_into === null ? {} : { main: `/api/v1/incidents/${merged_into}` }),
  };
}

/** Converts incidents to their wire form, with data of every stage, by a fixed number of queries. */
export async function presentIncidents(ctx: Ctx, rows: readonly IncidentRow[]): Promise<Incident[]> {
  if (rows.length === 0) return [];
  const ids = rows.map((row) => row.incident_id);
  const decisions = await latestDecisions(ctx, ids);
  const approvals = await approvalKeys(ctx, ids);
  const decidedOf = (id: string) =>
    approvals.get(id)?.find((approval) => approval.decision_token === decisions.get(id)?.token);
  const executions = await executionsOfApprovals(
    ctx,
    ids.flatMap((id) => decidedOf(id)?.approval_id ?? []),
  );
  const underWay = await executionsUnderWay(ctx, ids);
  const resolutions = await latestResolutions(ctx, ids);
  const repairs = [...resolutions.values()].flatMap((one) => one.execution_id ?? []);
  const statuses = await executionStatuses(ctx, repairs);
  const silences = await silencesOfIncidents(ctx, ids);
  const oftenOf = await frequencies(
    ctx,
    rows.map((row) => row.anomaly_key),
  );
  const relations = await relationsOf(ctx, rows);
  return rows.map((row) => {
    const {
      resolved_through: _,
      resolution: __,
      key_version: ___,
      flaps: ____,
      feedback,
      escalation_level,
      frequency,
      ...rest
    } = row;
    const { incident_id } = row;
    const decision = decisions.get(incident_id);
    const own = approvals.get(incident_id) ?? [];
    const decided = decidedOf(incident_id);
    const acted = decided === undefined ? undefined : executions.get(decided.approval_id);
    const state = decision && shownState(decision, acted?.status ?? null);
    const seen = decision && state && { ...decision, state };
    const silenced_by = silences.get(incident_id) ?? [];
    const concluded = resolutions.get(incident_id);
    // An incident that was resolved again and not concluded yet does not show its earlier conclusion.
    const resolution =
      row.resolved_at === null || concluded?.resolution !== row.resolution ? undefined : concluded;
    const repair = statuses.get(resolution?.execution_id ?? "");
    const often = oftenOf(row.anomaly_key);
    return {
      ...rest,
      activity: activityOf({ ...row, silenced: silenced_by.length > 0 }, seen, own, underWay),
      first_seen: row.first_seen.toISOString(),
      last_seen: row.last_seen.toISOString(),
      created_at: row.created_at.toISOString(),
      updated_at: row.updated_at.toISOString(),
      resolved_at: iso(row.resolved_at),
      closed_at: iso(row.closed_at),
      acknowledged_at: iso(row.acknowledged_at),
      silenced_by,
      frequency_stats: {
        ...often,
        escalation_level,
        last_1h: often.count_1h,
        last_24h: often.count_24h,
        last_7d: often.count_7d,
        last_30d: often.count_30d,
      },
      frequency_snapshot: frequency,
      decision:
        seen === undefined
          ? null
          : {
              token: seen.token,
              state: seen.state,
              source: seen.source,
              summary: seen.summary,
            },
      approval_ids: own.map((approval) => approval.approval_id),
      outcome:
        resolution === undefined
          ? null
          : {
              disposition: resolution.disposition,
              execution_success: repair === undefined ? null : repair === "success",
              execution_id: resolution.execution_id,
              resolved_by: resolution.resolved_by,
              resolved_by_kind: kindOf(resolution.resolved_by_kind),
              ...feedback,
            },
      ...relations(row),
      links: links(row),
    };
  });
}

/** Converts one incident to its wire form. */
export async function presentIncident(ctx: Ctx, row: IncidentRow): Promise<Incident> {
  const [view] = await presentIncidents(ctx, [row]);
  if (view === undefined) throw new Error("one row gives one view");
  return view;
}
