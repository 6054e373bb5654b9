type Rows = <T>(sql: string, values?: unknown[]) => Promise<T[]>;

const columnsOf = async (rows: Rows, table: string) =>
  (
    await rows<{ name: string }>(
      `select column_name as name from information_schema.columns
        where table_name = $1 and table_schema = current_schema() order by ordinal_position`,
      [table],
    )
  ).map(({ name }) => name);

/** Rows that are as the one of `where`, but for what `own` gives each by its number `g`, from 1. */
async function repeat(
  rows: Rows,
  { table, where, count, own }: { table: string; where: string; count: number; own: Record<string, string> },
): Promise<void> {
  const names = await columnsOf(rows, table);
  // In as many statements as are quick by themselves.
  for (let from = 1; from <= count; from += 10_000)
    await rows(
      `insert into ${table} (${names}) select ${names.map((name) => own[name] ?? name)}
         from (select * from ${table} where ${where} limit 1) as one,
              generate_series(${from}, ${Math.min(from + 9_999, count)}) as g`,
    );
}

const NEWEST =
  "select alert_id from alerts where status = 'firing' and instance_key is not null order by outage desc limit 1";

/**
 * Writes down so many calls that came since the newest that is open, as it is but for what names them; `apart`: each on an
 * incident of its own.
 */
export async function pastCalls(rows: Rows, count: number, apart = false): Promise<void> {
  const [newest] = await rows<{ alert_id: string; incident_id: string }>(
    `select alert_id, incident_id from alerts where alert_id = (${NEWEST})`,
  );
  if (newest === undefined) throw new Error("no call is open");
  const { alert_id, incident_id } = newest;
  const named = { incident_id: "incident_id || '-' || g", fingerprint: "md5(fingerprint || g)" };
  if (apart)
    await repeat(rows, { table: "incidents", where: `incident_id = '${incident_id}'`, count, own: named });
  const own = {
    alert_id: "alert_id || '-' || g",
    instance_key: "md5(instance_key || g)",
    outage: "outage + g",
  };
  await repeat(rows, {
    ...{ table: "alerts", where: `alert_id = '${alert_id}'`, count },
    own: apart ? { ...own, ...named } : own,
  });
  if (!apart)
    await rows("update incidents set hit_count = hit_count + $1 where incident_id = $2", [
      count,
      incident_id,
    ]);
  await rows("analyze alerts, incidents");
}
