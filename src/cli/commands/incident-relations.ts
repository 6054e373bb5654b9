import type { Command } from "commander";
import type { Incident } from "../../contract/incident.ts";
import { type UrlPath, urlPath } from "../../lib/url-path.ts";
import { addSubcommand, id, type Session } from "../command.ts";

type Json = { json?: boolean };
type Change = (
  session: Session,
  path: UrlPath,
  body: object | undefined,
  more: Json & { said: (changed: Incident) => string },
) => Promise<void>;

/** Adds the commands that merge and split incidents, from which the server learns. */
export function addRelations(incidents: Command, session: Session, change: Change): void {
  addSubcommand(incidents, "merge", "make it an effect of another incident, now and if both recur", [
    "awoooi incidents merge INC-20260701-7H2K9Q INC-20260701-D0B3FA",
    'awoooi incidents merge INC-20260701-7H2K9Q INC-20260701-D0B3FA --comment "the database was away"',
  ])
    .argument("<id>", "the effect", id)
    .argument("<into>", "the incident that causes it", id)
    .option("--comment <text>", "why")
    .action((incidentId: string, into: string, options: Json & { comment?: string }) => {
      const { comment } = options;
      const said = (one: Incident) => `${incidentId} is part of ${one.merged_into}.`;
      return change(
        session,
        urlPath`/incidents/${incidentId}/merge`,
        { into, comment },
        { ...options, said },
      );
    });

  addSubcommand(incidents, "split", "make an effect an incident of its own, now and if both recur", [
    'awoooi incidents split INC-20260701-7H2K9Q --comment "another disk"',
  ])
    .argument("<id>", "the effect", id)
    .option("--comment <text>", "why")
    .action((incidentId: string, options: Json & { comment?: string }) => {
      const { comment } = options;
      const said = () => `${incidentId} is an incident of its own.`;
      return change(session, urlPath`/incidents/${incidentId}/split`, { comment }, { ...options, said });
    });
}
