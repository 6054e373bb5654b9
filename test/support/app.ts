import { type AppOptions, type RunningApp, startApp } from "../../src/app/app.ts";
import { configSchema } from "../../src/app/config/schema.ts";
import type { Intervals } from "../../src/app/intervals.ts";
import type { Approval } from "../../src/contract/approval.ts";
import type { Role } from "../../src/lib/actor.ts";
import { silentLog } from "../../src/lib/log.ts";
import { describedText } from "./openapi.ts";
import { until } from "./until.ts";

export const ADMIN_TOKEN = "test-admin-token-of-forty-characters-long";

/**
 * Waits short enough for a test, and bounds that a busy machine does not reach: what is to succeed ends them early.
 * Everything else as shipped.
 */
export const QUICK = {
  // A sender always hears of its incident.
  intake: { answer_wait: "2m" },
  decision: { time: "10m", evidence_time: "25s" },
  execution: { retry_wait: "300ms", timeout: "5m", read_timeout: "2m" },
  // What becomes well is seen at once; what takes its time is waited for.
  verification: {
    wait: 0,
    collect: "2m",
    interval: "20ms",
    healthy_in_a_row: 2,
    look_timeout: "1m",
  },
  sweep: { every: "200ms" },
};

/** The same where targets are scripted, some never to become well: the first look tells, whenever it is. */
export const SCRIPTED = { ...QUICK.verification, collect: 0, healthy_in_a_row: 1 };

/** How often is looked for what nobody announces. */
const QUICK_INTERVALS: Partial<Intervals> = {
  delivery: 0.1,
  leftovers: 0.1,
  redis: 0.2,
  state_counts: 0.1,
  processes: 0.1,
  busy: 0.1,
};

/** The section `database` of a test app: a query may take its time. */
export const databaseAt = (url: string) => ({ url, query_timeout: "1m" });

/** Processes of which a test wants nothing but that they are configured: none is started, and none missed. */
export const unattended = <One extends object>(processes: readonly One[]) =>
  processes.map((one) => ({ autostart: false, watch: { enabled: false }, ...one }));

const isSection = (value: unknown): value is object =>
  typeof value === "object" && value !== null && !Array.isArray(value);
/** A section of `settings` has what it does not name from `QUICK`; processes are unattended unless they say otherwise. */
const quick = ({ processes, ...settings }: Record<string, unknown>) => ({
  ...(Array.isArray(processes) ? { processes: unattended(processes) } : {}),
  ...Object.fromEntries(
    Object.entries({ ...QUICK, ...settings }).map(([name, value]) => {
      const given = (QUICK as Record<string, unknown>)[name];
      return [name, isSection(given) && isSection(value) ? { ...given, ...value } : value];
    }),
  ),
});

export type Client = {
  call(method: string, path: string, body?: unknown): Promise<{ status: number; body: never }>;
  get<T = Record<string, unknown>>(path: string): Promise<T>;
  post<T = Record<string, unknown>>(path: string, body?: unknown): Promise<T>;
};

/** A client of the API with one person's token; `get` and `post` throw unless the answer is 2xx. */
export function client(url: string, token: string): Client {
  const call: Client["call"] = async (method, path, body) => {
    const response = await fetch(`${url}/api/v1${path}`, {
      method,
      headers: {
        authorization: `Bearer ${token}`,
        ...(body === undefined ? {} : { "content-type": "application/json" }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await describedText(method, response);
    return { status: response.status, body: (text === "" ? null : JSON.parse(text)) as never };
  };
  const must = async (method: string, path: string, body?: unknown) => {
    const answer = await call(method, path, body);
    if (answer.status >= 300)
      throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
    return answer.body;
  };
  return { call, get: (path) => must("GET", path), post: (path, body) => must("POST", path, body) };
}

/** An app in this process, on the given database and a free port. */
export async function startTestApp(
  databaseUrl: string,
  dataDir: string,
  settings: Record<string, unknown> = {},
  options: Partial<AppOptions> = {},
): Promise<RunningApp & { admin: Client }> {
  const config = configSchema.parse({
    data_dir: dataDir,
    admin_token: ADMIN_TOKEN,
    database: databaseAt(databaseUrl),
    server: { port: 0 },
    notification: { terminal: false },
    ...quick(settings),
  });
  const app = await startApp(config, {
    log: silentLog,
    print: () => {},
    intervals: QUICK_INTERVALS,
    ...options,
  });
  return { ...app, admin: client(app.url, ADMIN_TOKEN) };
}

/** A client of a new person with this role. */
export async function person(app: { url: string; admin: Client }, name: string, role: Role): Promise<Client> {
  const { token } = await app.admin.post<{ token: string }>("/tokens", { name, role });
  return client(app.url, token);
}

type Incident = {
  incident_id: string;
  status: string;
  hit_count: number;
  approval_ids: string[];
  outcome: unknown;
};

/** The incident once it is in one of these states. */
export function incidentIn(admin: Client, incident_id: string, ...states: string[]): Promise<Incident> {
  return until(
    async () => {
      const incident = await admin.get<Incident>(`/incidents/${incident_id}`);
      return states.includes(incident.status) ? incident : undefined;
    },
    `${incident_id} to be ${states.join(" or ")}`,
  );
}

/** The incident once it is resolved and what it came from has been kept. */
export function concluded(admin: Client, incident_id: string): Promise<Incident> {
  return until(async () => {
    const incident = await admin.get<Incident>(`/incidents/${incident_id}`);
    return incident.outcome === null ? undefined : incident;
  }, `${incident_id} to be concluded`);
}

/** The latest approval of an incident once it is in one of these states. */
export function approvalIn(admin: Client, incident_id: string, ...states: string[]): Promise<Approval> {
  return until(
    async () => {
      const { items } = await admin.get<{ items: Approval[] }>(
        `/approvals?incident_id=${incident_id}&limit=1`,
      );
      return items.find((item) => states.includes(item.status));
    },
    `an approval of ${incident_id} to be ${states.join(" or ")}`,
  );
}
