import { DBOS } from "@dbos-inc/dbos-sdk";
import {
  type ApprovalRow,
  approvalsOf,
  expireApproval,
  overdueApprovals,
  presentApproval,
} from "../approval/index.ts";
import { isUnavailable } from "../db/failure.ts";
import { transaction } from "../db/transaction.ts";
import { type DecisionRow, latestDecisions } from "../decision/index.ts";
import { type ExecutionRow, incidentsInExecution, overdueExecutions } from "../execution/index.ts";
import { activeIncidents, type IncidentRow, isActive, lockIncident, resolve } from "../incident/index.ts";
import { alertNamesOf, firingIncidents } from "../intake/index.ts";
import { addSeconds } from "../lib/clock.ts";
import { messageOf } from "../lib/error.ts";
import { type Log, type LogFields, logAbout } from "../lib/log.ts";
import { enqueue, tell, type Work } from "../outbox/index.ts";
import { conclude } from "./execute.ts";
import { putBeforePeople } from "./put-before-people.ts";
import type { Journey } from "./types.ts";
import { KINDS } from "./workflows.ts";

const RUNS = 3;
const PAGE = 500;

/** Does `work` for each, one after the other. One that fails keeps no other waiting; it is thrown at the end. */
async function each<T>(
  items: readonly T[],
  work: (item: T) => Promise<unknown>,
  told?: { log: Log; about: (item: T) => LogFields },
): Promise<void> {
  const errors: unknown[] = [];
  for (const item of items) {
    try {
      await logAbout(told?.about(item) ?? {}, () => work(item));
    } catch (error) {
      // Without its database none would do better.
      if (isUnavailable(error)) throw error;
      // One line for each run: of a hundred that fail the others fail for the same reason.
      if (told !== undefined && errors.length === 0)
        logAbout(told.about(item), () =>
          told.log.error({ error: messageOf(error) }, "the sweep cannot move this on"),
        );
      errors.push(error);
    }
  }
  if (errors.length > 0) throw errors[0];
}

async function approvals(journey: Journey): Promise<void> {
  const ctx = journey.as("sweep");
  const act = async ({ approval_id, status }: ApprovalRow) => {
    if (status === "preparing") {
      const checks = [
        { name: "dry-run", passed: false, message: "it did not finish in the time for a decision" },
      ];
      await presentApproval(ctx, { approval_id, checks }, journey.approval);
    } else {
      await expireApproval(ctx, approval_id);
    }
  };
  const about = ({ incident_id, approval_id }: ApprovalRow) => ({ incident_id, approval_id });
  await each(await overdueApprovals(ctx), act, { log: ctx.log, about });
}

async function executions(journey: Journey): Promise<void> {
  const ctx = journey.as("sweep");
  const act = ({ execution_id }: ExecutionRow) =>
    conclude(journey, execution_id, null, "sweep", "it did not end in its time");
  const about = ({ incident_id, approval_id, execution_id }: ExecutionRow) => ({
    incident_id,
    approval_id,
    execution_id,
  });
  await each(await overdueExecutions(ctx), act, { log: ctx.log, about });
}

/** Work that ended with an error, as a bug or a lost connection may cause, runs again a few times. */
async function brokenWork(journey: Journey): Promise<void> {
  const ctx = journey.as("sweep");
  const broken = await DBOS.listWorkflows({
    workflowName: KINDS,
    status: ["ERROR", "MAX_RECOVERY_ATTEMPTS_EXCEEDED"],
    startTime: addSeconds(ctx.clock.now(), -86_400).toISOString(),
    // The newest: what has had its runs must not keep the page full.
    sortDesc: true,
    limit: PAGE,
  });
  await each(broken, async ({ workflowID, input }) => {
    const again = Number(/:again-(\d+)$/.exec(workflowID)?.[1] ?? 0) + 1;
    const [work] = (input ?? []) as Work[];
    if (again > RUNS || work === undefined) return;
    await transaction(ctx, (tx) => enqueue(tx, work, again));
  });
}

/** An incident that nothing is being done about: it ends with its alerts, or comes back to people. */
async function idle(journey: Journey, { incident_id }: IncidentRow, quiet: boolean): Promise<void> {
  await transaction(journey.as("sweep"), async (tx) => {
    const locked = await lockIncident(tx, incident_id);
    if (locked === undefined || !isActive(locked)) return;
    const open = (await approvalsOf(tx, [incident_id])).get(incident_id) ?? [];
    if (open.some((one) => ["preparing", "pending"].includes(one.status))) return;
    if (quiet) {
      await resolve(tx, { incident_id, through: "notice" });
      return;
    }
    const asked = await putBeforePeople(tx, journey, locked, await alertNamesOf(tx, incident_id));
    if (!asked) tell(tx, { topic: "incident.reminder", incident_id, payload: {} });
  });
}

/** How long an incident may be left alone, in seconds; null for what only informs. */
function patience(
  journey: Journey,
  { notification_type }: IncidentRow,
  decision: DecisionRow | undefined,
  quiet: boolean,
): number | null {
  const { cool_down, watch } = journey.windows;
  if (notification_type === "TYPE-1" && !quiet) return null;
  if (quiet || decision === undefined || decision.policy.outcome === "ask") return cool_down;
  return decision.policy.outcome === "manual" ? watch : null;
}

async function incidents(journey: Journey): Promise<void> {
  let page: IncidentRow[];
  let after = "";
  do {
    page = await activeIncidents(journey.as("sweep"), after, PAGE);
    await incidentPage(journey, page);
    after = page.at(-1)?.incident_id ?? "";
  } while (page.length === PAGE);
}

async function incidentPage(journey: Journey, active: readonly IncidentRow[]): Promise<void> {
  const ctx = journey.as("sweep");
  const ids = active.map((incident) => incident.incident_id);
  const decisions = await latestDecisions(ctx, ids);
  const open = await approvalsOf(ctx, ids);
  const acting = await incidentsInExecution(ctx, ids);
  const firing = await firingIncidents(ctx, ids);
  const now = ctx.clock.now();
  const act = async (incident: IncidentRow) => {
    const { incident_id, updated_at } = incident;
    const live = open.get(incident_id)?.some(({ status, authority_until }) => {
      const waiting = status === "preparing" || status === "pending";
      return waiting || (status === "approved" && authority_until !== null && authority_until > now);
    });
    if (live || acting.has(incident_id)) return;
    const quiet = !firing.has(incident_id);
    const decision = decisions.get(incident_id);
    const seconds = patience(journey, incident, decision, quiet);
    const since = quiet ? updated_at : (decision?.created_at ?? updated_at);
    if (seconds !== null && addSeconds(since, seconds) <= now) await idle(journey, incident, quiet);
  };
  await each(active, act, { log: ctx.log, about: ({ incident_id }) => ({ incident_id }) });
}

/**
 * Looks for whatever has been in a state for too long and moves it on: evidence that never came, cards
 * nobody signed, executions that never ended, work that broke off, incidents that nobody minds.
 */
export async function sweep(journey: Journey): Promise<void> {
  await each([approvals, executions, brokenWork, incidents], (part) => part(journey));
}
