import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { approvalIn, QUICK, unattended } from "../support/app.ts";
import { freePort } from "../support/ports.ts";
import { seededRandom } from "../support/random.ts";
import { type Server, startServer } from "../support/server.ts";
import { until } from "../support/until.ts";
import { ALWAYS, IN_THE_END, violations, type World } from "./invariants.ts";
import type { Fault, Moment, Stage } from "./moments.ts";
import { Postgres } from "./postgres.ts";
import { ANSWER_LIMIT_MS, Senders } from "./senders.ts";
import { Shops } from "./shops.ts";
import type { SmallDisk } from "./small-disk.ts";

export type Report = {
  struck: Moment[];
  acknowledged: number;
  answers: Record<string, number>;
  /** Names of the invariants that were looked at to the end. */
  checked: string[];
  violations: string[];
};

type State = { status: string; executions: string[] };
type Options = {
  /** Another main module than the shipped one: one with a planted bug. */
  entry?: string;
  /** The data's own disk, for faults that fill it. */
  disk?: SmallDisk;
  /** Senders that go on the whole time. */
  senders?: number;
};

const SURVIVES = "the server ends only when it is killed";
const RESPONSIVE = "the server says that it lives while its database is away";

const STAGE_SIGNS = {
  execution: ["running", "verifying", "success"],
  verification: ["verifying", "success"],
  conclusion: ["success", "resolved"],
} as const;

/** Drives journeys through a server with a fault in the middle of each, under load, and checks what must hold. */
export class Journeys {
  readonly #folder: string;
  readonly #options: Options;
  readonly #postgres: Postgres;
  readonly #shops: Shops;
  readonly #senders: Senders;
  readonly #struck: Moment[] = [];
  readonly #signed = new Set<string>();
  readonly #violations: string[] = [];
  #settings: Record<string, unknown> = {};
  #server: Server | undefined;

  constructor(folder: string, options: Options = {}) {
    this.#folder = folder;
    this.#options = options;
    const data = join(folder, "data");
    this.#postgres = new Postgres(data);
    this.#shops = new Shops(folder, data);
    this.#senders = new Senders(() => this.#running.url, seededRandom());
  }

  /** Ends with the last journey, or with the first after which something does not hold. */
  async run(moments: readonly Moment[]): Promise<Report> {
    await this.#prepare(moments.length);
    this.#senders.start(this.#options.senders ?? 2);
    for (const [index, moment] of moments.entries()) {
      if (this.#violations.length === 0)
        await this.#deps(index, moment).catch((error: Error) => this.#explain(error, index, moment));
    }
    const whole = this.#violations.length === 0;
    if (whole) await this.#end();
    return {
      struck: this.#struck,
      acknowledged: this.#senders.acknowledged.size,
      answers: this.#senders.answers,
      checked: [SURVIVES, RESPONSIVE, ...Object.keys(ALWAYS), ...(whole ? Object.keys(IN_THE_END) : [])],
      violations: this.#violations,
    };
  }

  /** Ends the processes that the journeys have left running. */
  async end(): Promise<void> {
    await this.#senders.stop();
    await this.#server?.kill();
    await this.#postgres.close();
    await this.#shops.endAll();
  }

  async #prepare(count: number): Promise<void> {
    await this.#options.disk?.mount();
    this.#settings = {
      ...QUICK,
      intake: { answer_wait: "500ms" },
      database: { query_timeout: "1s" },
      verification: { ...QUICK.verification, wait: "400ms" },
      execution: { ...QUICK.execution, max_per_hour: { total: 1_000, target: 1_000 } },
      server: { port: await freePort(), log_level: "warn" },
      notification: { terminal: false },
      // The journeys start them, and their senders tell of them.
      processes: unattended(await this.#shops.configure(count)),
    };
    await this.#start();
  }

  async #start(): Promise<void> {
    this.#server = await startServer(this.#folder, this.#settings, {}, this.#options.entry);
  }

  get #running(): Server {
    if (this.#server === undefined) throw new Error("the server is not running");
    return this.#server;
  }

  get #admin() {
    return this.#running.admin;
  }

  async #deps(index: number, moment: Moment): Promise<void> {
    await this.#shops.start(index);
    await this.#shops.break(index);
    const shop = `shop-${index}`;
    const labels = { alertname: "ShopUnreachable", component: shop, severity: "warning", event_id: shop };
    const at = (...stages: Stage[]) => stages.includes(moment.stage);
    const strikes = (...stages: Stage[]) => (at(...stages) ? this.#strike(moment) : undefined);

    await Promise.all([this.#senders.deliver(labels), strikes("intake")]);
    await strikes("acknowledged", "preparation");
    if (this.#violations.length > 0) return;
    const incident_id = await until(() => this.#incidentOf(shop), `the incident of ${shop}`);
    await approvalIn(this.#admin, incident_id, "pending");
    await strikes("waiting");
    const approval = await approvalIn(this.#admin, incident_id, "pending");
    await Promise.all([this.#sign(approval), strikes("signing")]);
    if (moment.stage in STAGE_SIGNS) {
      const signs: readonly string[] = STAGE_SIGNS[moment.stage as keyof typeof STAGE_SIGNS];
      await until(async () => {
        const { status, executions } = await this.#state(incident_id);
        return status === "resolved" || executions.some((one) => signs.includes(one));
      }, `${moment.stage} of ${shop}`);
      await this.#strike(moment);
    }
    const resolved = async () => (await this.#state(incident_id)).status === "resolved";
    await until(resolved, `${shop} to be resolved`);
    await this.#shops.end(index);
  }

  /** Throws `error` with what is known of the journey that it ended. */
  async #explain(error: Error, index: number, moment: Moment): Promise<never> {
    const incident_id = await this.#incidentOf(`shop-${index}`).catch(() => undefined);
    const known = await Promise.allSettled([
      this.#admin.get<object>(`/incidents/${incident_id}/timeline`),
      this.#postgres.rows(`select workflow_uuid, name, status, executor_id, recovery_attempts, error
        from dbos.workflow_status where status <> 'SUCCESS'`),
      this.#postgres.rows(`select pid, state, wait_event, application_name, left(query, 120) as query
        from pg_stat_activity where backend_type = 'client backend'`),
    ]);
    const told = known.map((one) =>
      JSON.stringify(one.status === "fulfilled" ? one.value : String(one.reason)),
    );
    const output = this.#running.output().slice(-10_000);
    throw new Error([error.message, JSON.stringify(moment), ...told, output].join("\n"), { cause: error });
  }

  /** Lets the fault happen, sees it through, and looks at what must hold afterwards. */
  async #strike(moment: Moment): Promise<void> {
    await delay(moment.delay);
    await this.#faults[moment.fault](moment);
    this.#struck.push(moment);
    await until(() => this.#recovered(), `the recovery from ${moment.fault}`);
    if (this.#running.exited()) {
      this.#violations.push(
        `${SURVIVES}: ${moment.fault} in ${moment.stage}: ${this.#running.output().slice(-2_000)}`,
      );
      return;
    }
    await this.#look(ALWAYS);
  }

  async #recovered(): Promise<boolean> {
    return this.#running.exited() || (await this.#admin.call("GET", "/health/ready")).status === 200;
  }

  readonly #faults: Record<Fault, (moment: Moment) => Promise<void>> = {
    server_killed: async () => {
      await this.#running.kill();
      await this.#start();
    },
    postgres_killed: () => this.#postgres.end("SIGKILL"),
    postgres_restarted: () => this.#postgres.end("SIGINT"),
    postgres_stopped: async ({ lasts }) => {
      const resume = await this.#postgres.suspend();
      try {
        await Promise.all([delay(lasts), this.#refused(), this.#responsive()]);
      } finally {
        resume();
      }
    },
    disk_full: (moment) => this.#full(moment),
    disk_full_to_death: (moment) => this.#full(moment, () => this.#postgres.exhaust()),
  };

  /** Fills the disk, lets `more` happen, and frees it again. */
  async #full({ lasts }: Moment, more = async () => {}): Promise<void> {
    const { disk } = this.#options;
    if (disk === undefined) throw new Error("there is no disk to fill");
    await disk.fill();
    try {
      await more();
      await this.#refused();
      await Promise.all([delay(lasts), this.#responsive()]);
    } finally {
      await disk.free();
    }
  }

  /** A sender has been told to come back. */
  async #refused(): Promise<void> {
    const before = this.#senders.answers["503"] ?? 0;
    await until(() => (this.#senders.answers["503"] ?? 0) > before, "a sender to be refused");
  }

  /** What needs no database is answered without it. */
  async #responsive(): Promise<void> {
    const signal = AbortSignal.timeout(ANSWER_LIMIT_MS);
    const live = await fetch(`${this.#running.url}/api/v1/health/live`, { signal }).catch(() => undefined);
    if (live?.status !== 200)
      this.#violations.push("the server lives without its database: it did not say so");
  }

  async #incidentOf(shop: string): Promise<string | undefined> {
    const { items } = await this.#admin.get<{ items: { incident_id: string }[] }>(
      `/incidents?service=${shop}`,
    );
    return items[0]?.incident_id;
  }

  async #state(incident_id: string): Promise<State> {
    const { status } = await this.#admin.get<{ status: string }>(`/incidents/${incident_id}`);
    const { items } = await this.#admin.get<{ items: { status: string }[] }>(
      `/incidents/${incident_id}/executions`,
    );
    return { status, executions: items.map((item) => item.status) };
  }

  /** Signs until the server says that it is signed, now or by the try that was cut off. */
  async #sign({ approval_id, plan_hash }: { approval_id: string; plan_hash: string }): Promise<void> {
    await until(async () => {
      const path = `/approvals/${approval_id}/approve`;
      const { status, body } = await this.#admin.call("POST", path, { plan_hash });
      const { code = "" } = body as { code?: string };
      return status === 200 || ["already_decided", "already_signed"].includes(code);
    }, `${approval_id} to be signed`);
    this.#signed.add(approval_id);
  }

  /** What was acknowledged by now is understood, and what must hold does. */
  async #look(invariants: typeof ALWAYS): Promise<void> {
    const world = this.#world();
    const [{ last } = { last: 0 }] = await until(
      () => world.rows<{ last: number }>("select coalesce(max(seq), 0)::int as last from receipts"),
      "the journal",
    );
    await until(async () => {
      const waiting = "select 1 from receipts where state = 'received' and seq <= $1 limit 1";
      return (await world.rows(waiting, [last])).length === 0;
    }, "the journal to be drained");
    this.#violations.push(...(await violations(invariants, world)), ...this.#senders.violations);
  }

  #world(): World {
    return {
      // As it is now: what is acknowledged while this is looked at is looked at the next time.
      acknowledged: new Set(this.#senders.acknowledged),
      signed: new Set(this.#signed),
      shops: this.#shops.names,
      startsFile: this.#shops.startsFile,
      rows: (sql, values) => this.#postgres.rows(sql, values),
      auditBrokenAt: async () =>
        (await this.#admin.get<{ broken_at: number | null }>("/audit/verify")).broken_at,
    };
  }

  /** Every piece of durable work has ended well. */
  async #end(): Promise<void> {
    await this.#senders.stop();
    const open =
      "select 1 from dbos.workflow_status where status in ('PENDING', 'ENQUEUED', 'DELAYED') limit 1";
    await until(async () => (await this.#postgres.rows(open)).length === 0, "every workflow to end");
    await this.#look({ ...ALWAYS, ...IN_THE_END });
  }
}
