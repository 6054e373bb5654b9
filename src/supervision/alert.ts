import type { Ctx } from "../db/ctx.ts";
import { journalOwn, type OwnAlert } from "../intake/index.ts";
import { hashOfTexts } from "../lib/canonical-json.ts";
import { clip } from "../lib/clip.ts";
import type { ProcessRow, SupervisedProcess } from "./types.ts";

/** One that is not configured any more has no settings. */
type Watched = Pick<SupervisedProcess, "name"> & Partial<Pick<SupervisedProcess, "watch">>;

/**
 * The alert of a process that is down. Labelled as others' alerts about a service are: the same by an outside monitor is
 * one incident. Name and fingerprint are of the process, whatever ails it.
 */
function alertOf({ name, watch }: Watched, { problem, since }: ProcessRow): OwnAlert {
  const { severity } = watch ?? {};
  return {
    fingerprint: `PROC-${hashOfTexts(["process", name]).slice(0, 12)}`,
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

/** Journals that it is down no longer, if it was: to be asked before its row says so. */
export async function raiseNoMore(tx: Ctx, process: Watched, row: ProcessRow): Promise<void> {
  if (row.state !== "down") return;
  await journalOwn(tx, { ...alertOf(process, row), status: "resolved" });
}
