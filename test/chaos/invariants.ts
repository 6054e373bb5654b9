import { readFile } from "node:fs/promises";

/** What a run knows from outside of what the server has promised. */
export type World = {
  /** Label `event_id` of every alert that was answered with 2xx. */
  acknowledged: ReadonlySet<string>;
  /** Every approval whose signature was answered with 2xx. */
  signed: ReadonlySet<string>;
  /** Names of the services whose journeys have been gone through. */
  shops: readonly string[];
  /** Every start of a process of theirs adds a line to it. */
  startsFile: string;
  rows<T>(sql: string, values?: unknown[]): Promise<T[]>;
  /** Where the audit chain breaks; null where it is whole. */
  auditBrokenAt(): Promise<number | null>;
};

/** Each returns what breaks it: nothing, as long as it holds. */
type Invariant = (world: World) => Promise<string[]>;

type Sent = { sent: string; n: number; with_incident: number };

const sentAlerts = (world: World) =>
  world.rows<Sent>(`
    select labels->>'event_id' as sent, count(*)::int as n, count(i.incident_id)::int as with_incident
      from alerts left join incidents i using (incident_id) group by 1`);

/** What holds at any time, once the journal is drained: after every fault it is looked at. */
export const ALWAYS: Record<string, Invariant> = {
  "every acknowledged alert belongs to an incident": async (world) => {
    const kept = new Map((await sentAlerts(world)).map((row) => [row.sent, row.with_incident]));
    return [...world.acknowledged].filter((sent) => !kept.get(sent));
  },
  "an alert that was sent again and again is there once": async (world) =>
    (await sentAlerts(world)).filter(({ n }) => n !== 1).map(({ sent, n }) => `${sent} is there ${n} times`),
  "an incident counts each of its alerts once": async ({ rows }) =>
    (
      await rows<{ incident_id: string }>(`
        select incident_id from incidents i
         where hit_count <> (select count(*) from alerts a where a.incident_id = i.incident_id)`)
    ).map((row) => row.incident_id),
  "no receipt is set aside": async ({ rows }) =>
    (await rows<{ error: string }>("select error from receipts where state = 'dead'")).map(
      (row) => row.error,
    ),
  "an acknowledged signature stands": async ({ rows, signed }) => {
    const kept = await rows<{ approval_id: string }>("select approval_id from signatures");
    const ids = new Set(kept.map((row) => row.approval_id));
    return [...signed].filter((id) => !ids.has(id));
  },
  "nothing is done that is not signed, exactly as signed": async ({ rows }) =>
    (
      await rows<{ execution_id: string }>(`
        select execution_id from executions e where not exists
          (select from signatures s where s.approval_id = e.approval_id and s.plan_hash = e.plan_hash)`)
    ).map((row) => row.execution_id),
  "the audit chain is whole": async (world) => {
    const at = await world.auditBrokenAt();
    return at === null ? [] : [`it breaks at ${at}`];
  },
};

/** What holds besides when every journey has been gone through. */
export const IN_THE_END: Record<string, Invariant> = {
  "every journey ends in one resolved incident": async ({ rows, shops }) => {
    const found = await rows<{ service: string; ends: string }>(`
      select affected_services[1] as service, string_agg(status || ' ' || hit_count, ', ') as ends
        from incidents where affected_services[1] like 'shop-%' group by 1`);
    const ends = new Map(found.map((row) => [row.service, row.ends]));
    return shops
      .filter((shop) => ends.get(shop) !== "resolved 1")
      .map((shop) => `${shop}: ${ends.get(shop) ?? "there is none"}`);
  },
  "every signed plan is carried out once": async ({ rows, shops, startsFile }) => {
    const executions = await rows<{ execution_id: string }>("select execution_id from executions");
    const lines = (await readFile(startsFile, "utf8")).trim().split("\n");
    const starts = new Map<string, number>();
    for (const line of lines) {
      const { execution_id: id } = JSON.parse(line) as { execution_id: string | null };
      if (id !== null) starts.set(id, (starts.get(id) ?? 0) + 1);
    }
    const wrong = executions
      .filter(({ execution_id: id }) => starts.get(id) !== 1)
      .map(({ execution_id: id }) => `${id} started its process ${starts.get(id) ?? 0} times`);
    return executions.length === shops.length && starts.size === shops.length
      ? wrong
      : [...wrong, `${executions.length} executions, ${starts.size} of which started a process`];
  },
  "what is learnt is kept once": async ({ rows, shops }) => {
    const [counts] = await rows<Record<string, number>>(`
      select (select count(*) from repair_records where success and held)::int as repairs,
             (select count(*) from resolutions where disposition = 'human_approved')::int as resolutions`);
    return Object.entries(counts ?? {})
      .filter(([, n]) => n !== shops.length)
      .map(([what, n]) => `${n} ${what} of ${shops.length} journeys`);
  },
  "no work is left": async ({ rows }) =>
    (
      await rows<{ workflow_uuid: string; status: string; error: string | null }>(
        "select workflow_uuid, status, error from dbos.workflow_status where status <> 'SUCCESS'",
      )
    ).map(({ workflow_uuid, status, error }) => `${workflow_uuid} is ${status}: ${error ?? "no error kept"}`),
};

/** What is violated, each by its name: "name: what breaks it". */
export async function violations(invariants: Record<string, Invariant>, world: World): Promise<string[]> {
  const found: string[] = [];
  for (const [name, breaks] of Object.entries(invariants)) {
    const what = await breaks(world);
    if (what.length > 0) found.push(`${name}: ${what.slice(0, 10).join("; ")}`);
  }
  return found;
}
