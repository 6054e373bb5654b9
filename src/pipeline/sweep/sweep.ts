import { EVIDENCE_LATE, expireApproval, overdueApprovals, withdrawApproval } from "../../approval/index.ts";
import type { Ctx } from "../../db/ctx.ts";
import { isUnavailable } from "../../db/failure.ts";
import { transaction } from "../../db/transaction.ts";
import { readyForgotten } from "../../decision/index.ts";
import { incidentsInExecution, overdueExecutions, requeueLost, whatStopsAll } from "../../execution/index.ts";
import {
  close,
  endFlapping,
  flappingBefore,
  lockFingerprints,
  lockIncident,
  openResolutions,
  release,
  resolve,
  resolvedBefore,
  setMitigating,
} from "../../incident/index.ts";
import { alertNamesOf, firingIncidents } from "../../intake/index.ts";
import { recordResolution } from "../../learning/index.ts";
import { addSeconds } from "../../lib/clock.ts";
import { messageOf } from "../../lib/error.ts";
import { type Log, type LogFields, logAbout } from "../../lib/log.ts";
import { againId, notify, statesOfWork, workId } from "../../outbox/index.ts";
import { silencesOfIncidents } from "../../silence/index.ts";
import { reevaluateSilences } from "../intake/evaluate-silences.ts";
import { presentOrAutoApprove } from "../response/auto-approve.ts";
import { conclude, returnToResponders } from "../response/execute.ts";
import { askForApproval } from "../response/request-approval.ts";
import type { PipelineDeps } from "../types.ts";
import { beginHeldOutages, stillFiring } from "./begin-held.ts";
import { expireStaleAlerts } from "./expire-stale-alerts.ts";
import { silentSenders } from "./heartbeats.ts";
import { cutShort, type Due, dueIncidents, signedWork } from "./store.ts";
import { supersedeStale } from "./supersede-stale.ts";

const PAGE = 500;
// Work that should follow at once is taken over by the sweep after this long. Also the interval between its retries.
const GRACE_SECONDS = 60;

/** Runs `work` for each item in turn. A failure does not stop the others; the first error is thrown at the end. */
async function each<T>(
  items: readonly T[],
  work: (item: T) => Promise<unknown>,
  told?: { log: Log; about: (item: T) => LogFields },
): Promise<void> {
  const errors: unknown[] = [];
  for (const item of items) {
    const about = told?.about(item) ?? {};
    try {
      await logAbout(about, () => work(item));
    } catch (error) {
      // Without the database the other items would fail too.
      if (isUnavailable(error)) throw error;
      // Only the first failure is logged: the others usually have the same reason.
      if (errors.length === 0)
        logAbout(about, () => told?.log.error({ error: messageOf(error) }, "the sweep cannot process this"));
      errors.push(error);
    }
  }
  if (errors.length > 0) throw errors[0];
}

type Ids = { incident_id: string; approval_id?: string; execution_id?: string | null };

const idsOf = ({ incident_id, approval_id, execution_id }: Ids): LogFields => ({
  incident_id,
  ...(approval_id === undefined ? {} : { approval_id }),
  ...(execution_id == null ? {} : { execution_id }),
});

/** Runs `work` for all pages of `read`, each starting after the last item of the page before: no item is met twice. */
async function eachPage<T extends Ids>(
  log: Log,
  read: (after: string) => Promise<T[]>,
  idOf: (item: T) => string,
  work: (item: T) => Promise<unknown>,
): Promise<void> {
  const errors: unknown[] = [];
  let page: T[] = [];
  let after = "";
  do {
    page = await read(after);
    after = page.map(idOf).at(-1) ?? "";
    await each(page, work, { log, about: idsOf }).catch((error: unknown) => {
      if (isUnavailable(error)) throw error;
      errors.push(error);
    });
  } while (page.length === PAGE);
  if (errors.length > 0) throw errors[0];
}

async function present(deps: PipelineDeps, approval_id: string): Promise<void> {
  const ctx = deps.as("sweep");
  try {
    await presentOrAutoApprove(deps, approval_id, { checks: [EVIDENCE_LATE] }, "sweep");
  } catch (error) {
    if (isUnavailable(error)) throw error;
    // A plan that cannot be presented must not block its incident.
    await withdrawApproval(ctx, { approval_id, reason: "the plan cannot be presented" });
    throw error;
  }
}

async function approvals(deps: PipelineDeps): Promise<void> {
  const ctx = deps.as("sweep");
  await eachPage(
    ctx.log,
    (after) => overdueApprovals(ctx, after, PAGE),
    (one) => one.approval_id,
    async ({ approval_id, incident_id, status, needless }) => {
      if (needless) return supersedeStale(ctx, incident_id);
      return status === "preparing" ? present(deps, approval_id) : expireApproval(ctx, approval_id);
    },
  );
}

async function executions(deps: PipelineDeps): Promise<void> {
  const ctx = deps.as("sweep");
  await eachPage(
    ctx.log,
    (after) => overdueExecutions(ctx, after, PAGE),
    (one) => one.execution_id,
    ({ execution_id }) => conclude(deps, execution_id, null, "sweep", "it did not end in time"),
  );
}

async function refused(deps: PipelineDeps): Promise<void> {
  const ctx = deps.as("sweep");
  await eachPage(
    ctx.log,
    (after) => cutShort(ctx, after, PAGE),
    (one) => one.execution_id,
    ({ execution_id }) => returnToResponders(deps, execution_id, "sweep"),
  );
}

/** Retries, once a minute, signed work that no workflow holds any more, as a bug may leave it. */
async function lostWork(deps: PipelineDeps): Promise<void> {
  const ctx = deps.as("sweep");
  const now = ctx.clock.now();
  await eachPage(
    ctx.log,
    (after) => signedWork(ctx, addSeconds(now, -GRACE_SECONDS), after, PAGE),
    (one) => one.approval_id,
    async ({ incident_id, approval_id, decided_at, turn, execution_id }) => {
      const ids = { incident_id, approval_id };
      const minutes = Math.floor((now.getTime() - decided_at.getTime()) / 1000 / GRACE_SECONDS);
      const act = { kind: "execute", ...ids, turn } as const;
      const again = Array.from({ length: minutes }, (_, at) => againId(act, at + 1));
      // Work enqueued by a version without turns is continued as turn 1 while no execution exists.
      const next =
        execution_id === null
          ? workId({ ...act, turn: 1 })
          : workId({ ...act, kind: "verify", execution_id });
      const states = await statesOfWork(ctx, [workId({ ...act, turn: 0 }), workId(act), next, ...again]);
      const thisMinute = againId(act, minutes);
      if ([...states.values()].includes("unfinished") || states.has(thisMinute)) return;
      await requeueLost(ctx, ids, { id: thisMinute, seen: { turn, execution_id } });
    },
  );
}

/** Concludes resolutions that the workflow did not conclude: the tables say what is missing. */
async function resolutions(deps: PipelineDeps): Promise<void> {
  const ctx = deps.as("sweep");
  const before = addSeconds(ctx.clock.now(), -GRACE_SECONDS);
  await eachPage(
    ctx.log,
    (after) => openResolutions(ctx, before, after, PAGE),
    (one) => one.incident_id,
    async ({ resolved_at, ...row }) => {
      await recordResolution(ctx, { ...row, kind: "conclude", resolved_at: resolved_at.toISOString() });
      await supersedeStale(ctx, row.incident_id);
    },
  );
}

async function decisions(deps: PipelineDeps): Promise<void> {
  const ctx = deps.as("sweep");
  await readyForgotten(ctx, addSeconds(ctx.clock.now(), -deps.approval.prepare - GRACE_SECONDS));
}

/** Returns the waiting times, and whether a plan that a freeze refused may be retried. */
async function waits(ctx: Ctx, { windows, correlation: { release_after }, run }: PipelineDeps) {
  const changes_allowed = (await whatStopsAll(ctx, run.gateway())) === undefined;
  return { ...windows, release_after, changes_allowed };
}

/** Handles an idle incident: it is resolved with its alerts, released from its main incident, or brought back to people. */
async function idle(deps: PipelineDeps, { incident_id }: Due): Promise<void> {
  await transaction(deps.as("sweep"), async (tx) => {
    const locked = await lockIncident(tx, incident_id);
    const [due] = await dueIncidents(tx, await waits(tx, deps), { only: incident_id });
    if (locked === undefined || due === undefined) return;
    if (due.because === "silent" || due.because === "quiet") {
      await resolve(tx, { incident_id, through: due.because === "silent" ? "silence" : "notice" });
      return;
    }
    const silent = (await silencesOfIncidents(tx, [incident_id])).has(incident_id);
    if (due.because === "released") {
      const reason = "its cause is resolved and it still fires";
      const own = await release(tx, locked, reason);
      // A silenced incident is presented when its silence ends.
      if (silent) return;
      notify(tx, { topic: "incident.released", incident_id, payload: { reason } });
      await askForApproval(tx, deps, own, await alertNamesOf(tx, incident_id));
    } else if (!silent) {
      if (locked.status === "mitigating") await setMitigating(tx, incident_id, false);
      const asked = await askForApproval(tx, deps, locked, await alertNamesOf(tx, incident_id));
      if (!asked) notify(tx, { topic: "incident.reminder", incident_id, payload: {} });
    }
  });
}

async function incidents(deps: PipelineDeps): Promise<void> {
  const ctx = deps.as("sweep");
  const windows = await waits(ctx, deps);
  await eachPage(
    ctx.log,
    (after) => dueIncidents(ctx, windows, { after, limit: PAGE }),
    (one) => one.incident_id,
    (due) => idle(deps, due),
  );
}

/** Ends flapping after a quiet period, and resolves an incident that does not fire then. */
async function calmed(deps: PipelineDeps): Promise<void> {
  const ctx = deps.as("sweep");
  const { flapping } = deps.windows;
  const before = addSeconds(ctx.clock.now(), -flapping.within);
  await eachPage(
    ctx.log,
    (after) => flappingBefore(ctx, before, after, PAGE),
    (one) => one.incident_id,
    ({ incident_id, fingerprint }) =>
      transaction(ctx, async (tx) => {
        await lockFingerprints(tx, [fingerprint]);
        // An incident being executed on is resolved by its verification.
        if ((await incidentsInExecution(tx, [incident_id])).has(incident_id)) return;
        const fires = (await firingIncidents(tx, [incident_id])).has(incident_id);
        await endFlapping(tx, { incident_id, flapping, fires });
      }),
  );
}

async function resolved(deps: PipelineDeps): Promise<void> {
  const ctx = deps.as("sweep");
  const before = addSeconds(ctx.clock.now(), -deps.windows.close_after);
  await eachPage(
    ctx.log,
    (after) => resolvedBefore(ctx, before, after, PAGE),
    (one) => one.incident_id,
    ({ incident_id }) => close(ctx, { incident_id }),
  );
}

const PARTS = [
  reevaluateSilences,
  approvals,
  executions,
  refused,
  lostWork,
  resolutions,
  decisions,
  expireStaleAlerts,
  beginHeldOutages,
  silentSenders,
  calmed,
  incidents,
  stillFiring,
  resolved,
];

/**
 * Moves on everything that has been in a state for too long. It finds in the tables what should have happened, whichever
 * part failed to do it; docs/reference/states.md lists every state and its deadline.
 */
export async function sweep(deps: PipelineDeps): Promise<void> {
  await each(PARTS, (part) => part(deps));
}
