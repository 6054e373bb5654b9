import { mayAutoRepair, type ServiceRegistry } from "../../src/decision/index.ts";
import { getIncident } from "../../src/incident/index.ts";
import type { Receipt } from "../../src/intake/index.ts";
import { limitsFor, readBody } from "../../src/intake/index.ts";
import { insertReceipts } from "../../src/intake/store.ts";
import type { Operation } from "../../src/operation/index.ts";
import { processReceipts } from "../../src/pipeline/intake/process-receipts.ts";
import type { PipelineDeps } from "../../src/pipeline/types.ts";
import { hashOf, type PlaybookRow } from "../../src/playbook/index.ts";
import { createDatabase } from "./database.ts";
import { makePerson, setClock, testPipelineDeps } from "./pipeline-deps.ts";

export type Labels = Record<string, string>;
export type Repairs = Record<string, "auto" | "suggest" | "never">;

const RESTARTS: Record<string, string> = { process: "process.restart", unit: "host.systemctl_restart" };
/** A restart of a target of whatever kind. */
export const restartOf = (target: Operation["target"]) =>
  ({
    kind: RESTARTS[target?.kind ?? ""] ?? "kubernetes.rollout_restart",
    target,
    parameters: {},
  }) as Operation;

export const registryOf = (services: Repairs, other: "auto" | "never" = "never"): ServiceRegistry => ({
  default: other,
  services: Object.fromEntries(
    Object.entries(services).map(([name, auto_repair]) => [name, { auto_repair, dependencies: [] }]),
  ),
});

export type Asked = { operations?: Operation[]; belongs_to?: string[]; services?: string[] };

/** A database with a playbook that has earned to run by itself, to ask what keeps it from that. */
export async function makeByItself() {
  const database = await createDatabase();
  const clock = setClock();
  const ada = await makePerson(database.ctx(undefined, clock), "ada", "admin");
  const { rows } = await database.pool.query(
    `insert into playbooks (playbook_id, name, description, status, pattern, steps, runs, successes, trust, source,
                            created_by, approved_by, approved_by_kind, created_at, updated_at)
     values ('PBK-1', 'shop', '', 'approved', $1, '[]', 9, 9, 0.9, 'manual', 'ada', 'ada', 'person', now(), now()) returning *`,
    [JSON.stringify({ alert_names: ["Hangs"], services: [], severities: [] })],
  );
  const playbook = rows[0] as PlaybookRow;
  const fresh = (): PipelineDeps => {
    const deps = testPipelineDeps(database, clock);
    deps.known = { processes: ["shop", "ledger"], hosts: [{ name: "web1", names: ["web1"] }] };
    deps.correlation.merge = false;
    return deps;
  };
  const tried = {
    database,
    clock,
    ada,
    playbook,
    deps: fresh(),
    registry: null as ServiceRegistry | null,

    /** Nothing has happened yet. */
    async reset() {
      await database.pool.query("truncate incidents, alerts, receipts cascade");
      clock.forward(100_000);
      tried.deps = fresh();
      tried.registry = null;
    },

    /** Takes a call in as the worker does; the incidents of its alerts. */
    async call(source: string, text: string): Promise<(string | null)[]> {
      const ctx = tried.deps.as("intake");
      const row = { source, sender: "127.0.0.1", body: Buffer.from(text), received_at: clock.now() };
      const [seq = 0] = await insertReceipts(ctx, [row]);
      const { json: body, cut } = readBody(row.body, limitsFor(tried.deps.alerts_per_body));
      const receipt: Receipt = { ...row, seq };
      const answers = await processReceipts(ctx, tried.deps, [{ receipt, body, cut }]);
      clock.forward(1);
      return answers.get(seq)?.results.map((one) => one.incident_id) ?? [];
    },

    /** The incident of the last of these alerts, which come in one body of Alertmanager. */
    async receive(alerts: readonly (Labels & { fingerprint?: string })[], status = "firing") {
      const list = alerts.map(({ fingerprint, ...labels }) => ({
        ...{ status, fingerprint, startsAt: "2026-05-04T07:00:00Z" },
        labels: { alertname: "Hangs", ...labels },
      }));
      const body = JSON.stringify({ version: "4", status, alerts: list });
      return (await tried.call("alertmanager", body)).at(-1) as string;
    },

    incident: (incident_id: string) => getIncident(tried.deps.as("pipeline"), incident_id),

    /** The names of what keeps the incident's own target from being restarted by itself. */
    async blocked(incident_id: string, more: Asked = {}): Promise<string[]> {
      const ctx = tried.deps.as("pipeline");
      const incident = await getIncident(ctx, incident_id);
      const own = incident.operation_target;
      const pattern = { ...playbook.pattern, services: more.services ?? [] };
      await database.pool.query("update playbooks set pattern = $1", [JSON.stringify(pattern)]);
      const { blocked_by } = await mayAutoRepair(
        ctx,
        {
          incident,
          approval_id: "APR-THIS",
          operations: more.operations ?? (own === null ? [] : [restartOf(own)]),
          risk_level: "medium",
          playbook_id: playbook.playbook_id,
          playbook_hash: hashOf({ ...playbook, pattern }),
          belongs_to: more.belongs_to ?? [],
          stopped: null,
          failed_checks: [],
          executable: true,
        },
        {
          mode: "auto",
          terms: { success_rate: 0.8, trust: 0.5, cold_start: false },
          services: tried.registry,
          repeats: 20,
        },
      );
      return blocked_by.map((one) => one.guardrail);
    },
  };
  return tried;
}
export type ByItself = Awaited<ReturnType<typeof makeByItself>>;
