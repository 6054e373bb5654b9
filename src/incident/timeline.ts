import { authorise } from "../access/index.ts";
import type { TimelineEvent, TimelineKind } from "../contract/incident.ts";
import {
  loggedOperation,
  type OperationEvent,
  type OperationLogEntry,
  type OperationLogQuery,
} from "../contract/operation-log.ts";
import type { Ctx } from "../db/ctx.ts";
import { pageOf } from "../db/page.ts";
import { defer } from "../db/transaction.ts";
import { acceptedAlerts } from "../intake/index.ts";
import { actorLabel, kindOf } from "../lib/actor.ts";
import { AwoooiError } from "../lib/error.ts";
import { redactText, redactTexts } from "../lib/redact.ts";
import { findIncident, insertTimeline, operationLogPage, timelineRows } from "./store.ts";

/**
 * Adds an entry to an incident's timeline, in the transaction of the event. `text` is one line for people. Credentials in
 * it are redacted.
 */
export function note(
  ctx: Ctx,
  event: {
    incident_id: string;
    kind: TimelineKind;
    text: string;
    data?: Record<string, unknown>;
    /** Its name in the operation log, for events that appear there. */
    event?: OperationEvent;
  },
): void {
  const { incident_id, kind, text, data = {}, event: name = null } = event;
  const story = { incident_id, kind, text: redactText(text), data: redactTexts(data), event: name };
  const row = { ...story, at: ctx.clock.now(), actor: actorLabel(ctx.actor), actor_kind: ctx.actor.kind };
  defer(ctx, "timeline", row, insertTimeline);
}

/** Returns the timeline of an incident, oldest first, after `after` (a `seq`); 500 events at most. */
export async function timelineOf(ctx: Ctx, incident_id: string, after = 0): Promise<TimelineEvent[]> {
  authorise(ctx.actor, "read timelines", { people: "viewer" });
  if ((await findIncident(ctx, incident_id)) === undefined) {
    throw new AwoooiError("not_found", `There is no incident ${incident_id}.`);
  }
  const rows = await timelineRows(ctx, incident_id, after, 500);
  return rows.map(({ seq, at, kind, actor, actor_kind, text, data }) => ({
    seq,
    at: at.toISOString(),
    kind: kind as TimelineKind,
    actor,
    actor_kind: kindOf(actor_kind),
    text,
    data,
  }));
}

/** Returns a page of the operation log: what was done about incidents and with what result, newest first. */
export async function operationLog(
  ctx: Ctx,
  query: OperationLogQuery,
): Promise<{ items: OperationLogEntry[]; next_cursor: string | null }> {
  authorise(ctx.actor, "read the operation log", { people: "viewer" });
  const rows = await operationLogPage(ctx, query);
  const done = rows.map(({ kind: _, event, at, actor_kind, data: { operation_log, ...data }, ...row }) => ({
    ...row,
    data,
    actor_kind: kindOf(actor_kind),
    event: event ?? "",
    at: at.toISOString(),
    operation: loggedOperation
      .nullable()
      .catch(null)
      .parse(operation_log ?? null),
  }));
  const withAlerts = query.event === undefined || query.event === "ALERT_RECEIVED";
  const received = withAlerts ? await acceptedAlerts(ctx, query) : [];
  // Both take their `seq` from one sequence, so that they merge into one listing.
  const newest = [...done, ...received].sort((a, b) =>
    a.at === b.at ? b.seq - a.seq : a.at < b.at ? 1 : -1,
  );
  const { rows: items, next_cursor } = pageOf(newest, query.limit, (one) => ({
    at: new Date(one.at),
    id: String(one.seq),
  }));
  return { items, next_cursor };
}
