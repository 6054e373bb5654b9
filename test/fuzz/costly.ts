import { readFile, writeFile } from "node:fs/promises";
import { Agent, request } from "node:http";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { Postgres } from "../chaos/postgres.ts";
import { SENDERS } from "../conformance/fixture.ts";
import { alertmanagerBody } from "../support/alerts.ts";
import { type Server, startServer } from "../support/server.ts";
import { type Call, type Costly, settingsOf } from "./costly-bodies.ts";

/** What one kind of body came to. Times are seconds, memory bytes. */
export type Cost = {
  name: string;
  bytes: number;
  /** How its calls were answered, by status; those that were cut off under 0. */
  statuses: Record<string, number>;
  /** Until the last of its receipts was settled. */
  settled: number;
  /** At most: until another sender had its answer, and until the incident of its alert was there. */
  answer: number;
  incident: number;
  /** At most: until `/health/live` answered. */
  live: number;
  /** The largest resident set of the server's process. */
  peak: number;
};

/** None may cost another sender more than this. */
const BOUNDS = { seconds: 2, bytes: 1024 * 1024 * 1024 };

const WITNESS_MS = 100;
// How often it is asked again for what became of an alert.
const AGAIN_MS = 250;
const GIVE_UP_S = 120;

type Answer = { status: number; text: string };

/** Sends bodies that cost much to a running server, and looks at how long another sender waits meanwhile. */
export class CostlyRun {
  readonly #server: Server;
  readonly #postgres: Postgres;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 80 });
  /** The witness has a connection of its own, as another machine has. */
  readonly #own = new Agent({ keepAlive: true });
  #count = 0;
  #senders = 0;

  private constructor(server: Server, postgres: Postgres) {
    this.#server = server;
    this.#postgres = postgres;
  }

  /** The server of `folder` with its embedded PostgreSQL, as shipped but for its port and its senders. */
  static async start(folder: string): Promise<{ run: CostlyRun; server: Server }> {
    const settings = {
      server: { port: 0, log_level: process.env.COSTLY_LOG ?? "error" },
      notification: { terminal: false },
      ...settingsOf(SENDERS),
    };
    const routes = { FUZZ_ROUTES: join(folder, "routes.json") };
    const server = await startServer(folder, settings, routes, join(import.meta.dirname, "server.ts"));
    const run = new CostlyRun(server, new Postgres(join(folder, "data")));
    // What is done for the first time only is no matter of the bodies.
    await run.#witness();
    return { run, server };
  }

  async measure(costly: Costly): Promise<Cost> {
    // Before anybody's time is taken: making them costs us more than it costs the server to read them.
    const calls = [...costly.calls()];
    await this.#remember(costly);
    await this.#resetPeak();
    const cost: Cost = {
      name: costly.name,
      bytes: 0,
      statuses: {},
      settled: 0,
      answer: 0,
      incident: 0,
      live: 0,
      peak: 0,
    };
    const over = new AbortController();
    const watching = [this.#watch(cost, over.signal), this.#pulse(cost, over.signal)];
    const begun = performance.now();
    await this.#sendAll(calls, costly.at_once ?? 1, cost);
    await this.#settle(begun);
    cost.settled = (performance.now() - begun) / 1000;
    over.abort();
    await Promise.all(watching);
    cost.peak = await this.#peak();
    return cost;
  }

  async close(): Promise<void> {
    this.#agent.destroy();
    this.#own.destroy();
    await this.#postgres.close();
  }

  /** Has what came before come, and be settled. */
  async #remember({ past }: Costly): Promise<void> {
    if (past === undefined) return;
    for (const call of past.calls()) await this.#ask(call, "10.6.1.1", this.#agent);
    await this.#settle(performance.now());
    await past.write((sql, values) => this.#postgres.rows(sql, values));
  }

  async #sendAll(calls: readonly Call[], at_once: number, cost: Cost): Promise<void> {
    this.#senders += 1;
    const from = `10.7.${Math.floor(this.#senders / 250)}.${(this.#senders % 250) + 1}`;
    const left = calls.values();
    const lane = async () => {
      for (const call of left) {
        cost.bytes += call.body.length;
        const { status } = await this.#ask(call, call.from ?? from, this.#agent);
        cost.statuses[status] = (cost.statuses[status] ?? 0) + 1;
      }
    };
    await Promise.all(Array.from({ length: at_once }, lane));
  }

  /** A small alert of another sender, and when it is there the next. */
  async #watch(cost: Cost, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const { answer, incident } = await this.#witness();
      cost.answer = Math.max(cost.answer, answer);
      cost.incident = Math.max(cost.incident, incident);
      await delay(WITNESS_MS);
    }
  }

  async #witness(): Promise<{ answer: number; incident: number }> {
    this.#count += 1;
    const name = `witness${this.#count}x`;
    const body = Buffer.from(
      JSON.stringify(
        alertmanagerBody([{ labels: { alertname: "WitnessDown", severity: "warning", deployment: name } }]),
      ),
    );
    const call: Call = {
      path: "/api/v1/webhooks/alertmanager",
      headers: { "content-type": "application/json" },
      body,
    };
    const begun = performance.now();
    const since = () => (performance.now() - begun) / 1000;
    let answer = 0;
    // Said again until the answer names it: what was taken once is in the journal.
    while (since() < GIVE_UP_S) {
      const { status, text } = await this.#ask(call, "10.8.1.1", this.#own);
      if (answer === 0 && status === 200) answer = since();
      if (status === 200 && /"incident_id":"INC-/.test(text)) return { answer, incident: since() };
      await delay(AGAIN_MS);
    }
    return { answer: answer || since(), incident: since() };
  }

  async #pulse(cost: Cost, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const begun = performance.now();
      await this.#ask(
        { path: "/api/v1/health/live", headers: {}, body: Buffer.alloc(0) },
        "10.8.1.1",
        this.#own,
      );
      cost.live = Math.max(cost.live, (performance.now() - begun) / 1000);
      await delay(20);
    }
  }

  async #settle(begun: number): Promise<void> {
    while ((performance.now() - begun) / 1000 < GIVE_UP_S) {
      const { body } = await this.#server.admin.call("GET", "/health/ready");
      if (/"detail":"0 receipts waiting"/.test(JSON.stringify(body))) return;
      await delay(100);
    }
  }

  async #resetPeak(): Promise<void> {
    await writeFile(`/proc/${this.#server.pid}/clear_refs`, "5").catch(() => {});
  }

  async #peak(): Promise<number> {
    const status = await readFile(`/proc/${this.#server.pid}/status`, "utf8");
    return Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) * 1024;
  }

  #ask({ path, headers, body }: Call, from: string, agent: Agent): Promise<Answer> {
    return new Promise((resolve) => {
      const { hostname, port } = new URL(this.#server.url);
      const length = body.length === 0 ? {} : { "content-length": String(body.length) };
      const options = { hostname, port, path, agent, method: body.length === 0 ? "GET" : "POST" };
      const sent = request(
        { ...options, headers: { ...headers, ...length, "x-forwarded-for": from } },
        (response) => {
          const chunks: Buffer[] = [];
          response.on("data", (chunk: Buffer) => chunks.push(chunk));
          response.once("end", () =>
            resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString() }),
          );
          response.once("error", () => resolve({ status: 0, text: "" }));
        },
      );
      // It may close before it has read a body that it refuses.
      sent.once("error", () => resolve({ status: 0, text: "" }));
      sent.end(body.length === 0 ? undefined : body);
    });
  }
}

/** What of a cost is more than it may be. */
export function excess({ name, answer, incident, live, peak }: Cost): string[] {
  const { seconds, bytes } = BOUNDS;
  const slow = Object.entries({ answer, incident, live }).filter(([, took]) => took > seconds);
  return [
    ...slow.map(([what, took]) => `${name}: ${what} after ${took.toFixed(1)} s`),
    ...(peak > bytes ? [`${name}: ${megabytes(peak)} resident`] : []),
  ];
}

const megabytes = (bytes: number) => `${Math.round(bytes / 1024 / 1024)} MB`;

export const HEADING =
  "     MB sent  settled s   others: answer s  incident s  live s     peak  answers, kind of body";

/** A row of the table of costs, for people. */
export function row({ name, bytes, statuses, settled, answer, incident, live, peak }: Cost): string {
  const fixed = (value: number, width: number) => value.toFixed(2).padStart(width);
  const answers = Object.entries(statuses)
    .map(([status, n]) => `${n === 1 ? "" : `${n}x`}${status}`)
    .join(" ");
  return [
    fixed(bytes / 1024 / 1024, 12),
    fixed(settled, 10),
    fixed(answer, 18),
    fixed(incident, 11),
    fixed(live, 7),
    megabytes(peak).padStart(8),
    ` ${answers}, ${name}`,
  ].join(" ");
}
