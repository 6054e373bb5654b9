import type { Ctx } from "../db/ctx.ts";
import { incidentsById, isActive } from "../incident/index.ts";
import { alertIdentity, incidentsOfFiring, journalOwn, type OwnAlert, ownSource } from "../intake/index.ts";
import { hashOfTexts } from "../lib/canonical-json.ts";
import { clip } from "../lib/clip.ts";
import type { ProcessRow, SupervisedProcess } from "./types.ts";

/** One that is not configured any more has no settings. */
type Watched = Pick<SupervisedProcess, "name"> & Partial<Pick<SupervisedProcess, "watch">>;

const fingerprintOf = (name: string) => `PROC-${hashOfTexts(["process", name]).slice(0, 12)}`;

/**
 * The alert of a process that is down. Labelled as others' alerts about a service are: the same by an outside monitor is
 * one incident. Name and fingerprint are of the process, whatever ails it.
 */
function alertOf({ name, watch }: Watched, { problem, since }: ProcessRow): OwnAlert {
  const { severity } = watch ?? {};
  return {
    fingerprint: fingerprintOf(name),
    labels: {
      alertname: "ServiceUnreachable",
      service: name,
      ...(severity === undefined ? {} : { severity }),
    },
    annotations: {
      summary: clip(`${name}: ${problem ?? "it is down"}`, 300),
      description: `AWOOOI supervises the process ${name} and has seen this itself.`,
    },
    starts_at: since,
  };
}

/** Journals that it is down, or that it still is. */
export async function raise(tx: Ctx, process: Watched, row: ProcessRow): Promise<void> {
  await journalOwn(tx, alertOf(process, row));
}

/** Journals that it is down no longer, if its alert fires: to be asked before its row says so. */
export async function raiseNoMore(tx: Ctx, process: Watched, row: ProcessRow): Promise<void> {
  if (row.told_at === null) return;
  await journalOwn(tx, { ...alertOf(process, row), status: "resolved" });
}

/** When and how the incidents ended that its firing alert is in; null: one is active, or it is in none. */
export async function endOfIncidents(tx: Ctx, name: string): Promise<{ at: Date; byPerson: boolean } | null> {
  const ids = await incidentsOfFiring(tx, [alertIdentity(ownSource.id, "", fingerprintOf(name))]);
  const incidents = [...(await incidentsById(tx, ids)).values()];
  const ends = incidents.map(({ resolved_at }) => resolved_at?.getTime() ?? 0);
  if (incidents.length === 0 || incidents.some(isActive)) return null;
  return {
    at: new Date(Math.max(...ends)),
    byPerson: incidents.some(({ resolved_through }) => resolved_through === "person"),
  };
}
