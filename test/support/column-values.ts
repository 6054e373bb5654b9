import type { PgColumn } from "drizzle-orm/pg-core";
import { ALERT_STATUS, INCIDENT_STATUS, SEVERITY } from "../../src/lib/old-values.ts";

const VOCABULARIES = [ALERT_STATUS, INCIDENT_STATUS, SEVERITY];

/** What a column of few values may hold; none of any other. One that also reads older names is known by how it does. */
export function columnValues(column: PgColumn): readonly string[] {
  if (column.enumValues !== undefined) return column.enumValues;
  const reads = ([word, value]: [string, string]) => column.mapFromDriverValue(word) === value;
  return VOCABULARIES.find(({ old }) => [...(old as Map<string, string>)].every(reads))?.values ?? [];
}
