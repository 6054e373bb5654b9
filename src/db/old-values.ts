import type pg from "pg";
import { ALERT_STATUS, INCIDENT_STATUS, SEVERITY, type Vocabulary } from "../lib/old-values.ts";

const text = (word: string) => `'${word.replaceAll("'", "''")}'`;
const list = (words: readonly string[]) => words.map(text).join(", ");

function presentSql(column: string, { old, otherwise }: Vocabulary<string>): string {
  const cases = [...old].map(([word, value]) => `when ${text(word)} then ${text(value)}`).join(" ");
  return `case lower(btrim(${column})) ${cases} else ${text(otherwise)} end`;
}

const isOld = (column: string, { values }: Vocabulary<string>) => `${column} not in (${list(values)})`;

const ACTIVE = list(["investigating", "mitigating"]);

// Only one incident per fingerprint may be active: an old one becomes `resolved` if another is active or newer.
const INCIDENTS = `
  with old as (
    select incident_id, fingerprint, created_at, ${presentSql("status", INCIDENT_STATUS)} as now
      from incidents where ${isOld("status", INCIDENT_STATUS)}),
  placed as (
    select o.*, now in (${ACTIVE}) and (
             exists (select from incidents i where i.fingerprint = o.fingerprint and i.status in (${ACTIVE}))
             or exists (select from old n where n.fingerprint = o.fingerprint and n.now in (${ACTIVE})
                          and (n.created_at, n.incident_id) > (o.created_at, o.incident_id))) as twice
      from old o),
  named as (select incident_id, case when twice then 'resolved' else now end as now from placed)
  update incidents i
     set status = named.now,
         resolved_at = case when named.now in (${ACTIVE}) then null else coalesce(i.resolved_at, i.updated_at) end
    from named where named.incident_id = i.incident_id`;

const renamed = (table: string, column: string, of: Vocabulary<string>) =>
  `update ${table} set ${column} = ${presentSql(column, of)} where ${isOld(column, of)}`;

/** Replaces status and severity words that an earlier installation wrote into `incidents`. Runs at each start. */
export async function renameOldIncidents(client: Pick<pg.ClientBase, "query">): Promise<void> {
  await client.query(INCIDENTS);
  await client.query(renamed("incidents", "severity", SEVERITY));
}

/** Replaces such words in incidents and alerts after an import. */
export async function renameOldValues(client: Pick<pg.ClientBase, "query">): Promise<void> {
  await renameOldIncidents(client);
  await client.query(renamed("alerts", "severity", SEVERITY));
  await client.query(renamed("alerts", "status", ALERT_STATUS));
}
