import type { Ctx } from "../db/ctx.ts";
import { incidentsById, isActive } from "../incident/index.ts";
import { alertIdentity, incidentsOfFiring, journalOwn, type OwnAlert, ownSource } from "../intake/index.ts";
import { hashOfTexts } from "../lib/canonical-json.ts";
import { clip } from "../lib/clip.ts";
import type { ProcessRow, SupervisedProcess } from "./types.ts";

/** A process that is no longer configured has no settings. */
type Watched = Pick<SupervisedProcess, "name"> & Partial<Pick<SupervisedProcess, "watch">>;

const fingerprintOf = (name: string) => `PROC-${hashOfTexts(["process", name]).slice(0, 12)}`;

/**
 * Builds the alert of a process that is down. It is labelled like other senders' alerts about a service, so that one from
 * an outside monitor joins the same incident. Name and fingerprint depend on the process only, not on what is wrong with
 * it.
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
      description: `AWOOOI supervises the process ${name} and detected this itself.`,
    },
    starts_at: since,
  };
}

/** Journals that the process is down, or still is. */
export async function raiseAlert(tx: Ctx, process: Watched, row: ProcessRow): Promise<void> {
  await journalOwn(tx, alertOf(process, row));
}

/** Journals that the process is no longer down, if its alert fires. Call it before updating the row. */
export async function endAlert(tx: Ctx, process: Watched, row: ProcessRow): Promise<void> {
  if (row.told_at === null) return;
  await journalOwn(tx, { ...alertOf(process, row), status: "resolved" });
}

/**
 * Returns when the incidents of the process's firing alert ended, and whether a person resolved one; null when one is
 * active or there is none.
 */
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
