import { authorise } from "../access/index.ts";
import { candidatesText, type Investigation } from "../contract/evidence.ts";
import type { Ctx } from "../db/ctx.ts";
import { getIncident, note } from "../incident/index.ts";
import { insertInvestigation, latestInvestigation } from "./store.ts";

/** Stores the investigation of an incident's target, in the transaction that decides by it. */
export async function keepEvidence(
  ctx: Ctx,
  incident_id: string,
  investigation: Investigation,
): Promise<void> {
  authorise(ctx.actor, "store evidence", { people: "none", system: ["pipeline"] });
  await insertInvestigation(ctx, incident_id, investigation);
  const { findings, evidence, missing, candidates = [] } = investigation;
  const causes = findings.filter((one) => one.weight === "cause");
  const said = (causes.length > 0 ? causes : findings).map((one) => one.title);
  const text =
    said.length > 0 ? `Found: ${said.join("; ")}` : `Nothing found (${evidence.length} facts were read)`;
  // No timeline entry for a target that no investigator knows, such as a machine that is not a node.
  if (investigation.target === null && evidence.length + missing.length === 0) return;
  const open = candidatesText(candidates);
  const data = { findings, missing, ...(open === undefined ? {} : { candidates }) };
  note(ctx, { incident_id, kind: "decision", text: open ?? text, data });
}

/** Returns the latest investigation of an incident's target; null: there was none. Throws `not_found`. */
export async function getEvidence(ctx: Ctx, incident_id: string): Promise<Investigation | null> {
  authorise(ctx.actor, "read evidence", { people: "viewer", system: ["pipeline"] });
  await getIncident(ctx, incident_id);
  return (await latestInvestigation(ctx, incident_id)) ?? null;
}

/** Returns the latest investigation for the card of a notice, whose incident is known to exist; null: there was none. */
export async function evidenceOf(ctx: Ctx, incident_id: string): Promise<Investigation | null> {
  return (await latestInvestigation(ctx, incident_id)) ?? null;
}
