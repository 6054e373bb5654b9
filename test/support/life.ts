import { approve, reject } from "../../src/approval/index.ts";
import type { Ctx } from "../../src/db/ctx.ts";
import { isUnavailable } from "../../src/db/failure.ts";
import type { ActResult, Executor } from "../../src/execution/index.ts";
import { reopen, resolve } from "../../src/incident/index.ts";
import { waitingReceipts } from "../../src/intake/index.ts";
import { insertReceipts } from "../../src/intake/store.ts";
import { AwoooiError } from "../../src/lib/error.ts";
import { type PipelineDeps, processReceipts } from "../../src/pipeline/index.ts";
import type { Observer } from "../../src/verification/index.ts";
import { alertmanagerBody } from "./alerts.ts";
import type { TestDatabase } from "./database.ts";
import type { SimulatedEngine } from "./engine.ts";
import type { Person } from "./pipeline-deps.ts";
import type { Dice, Simulation } from "./simulation.ts";

const MINUTE = 60;
const HOUR = 3_600;
const DAY = 86_400;

/** One thing that can break, with its alert. */
type Service = {
  name: string;
  alertname: string;
  healthy: boolean;
  /** While it fires: when that began, and whether its sender is still there. */
  firing: { startsAt: string; severity: string; heard: boolean } | null;
  curable: boolean;
  /** How many times it was acted on. */
  acts: number;
};

/** The outside: services that break and heal, senders, people, and an executor that has bad days. */
export class Life {
  readonly #database: TestDatabase;
  readonly #simulation: Simulation;
  readonly #dice: Dice;
  readonly #services: Service[];
  readonly #people: readonly Person[];
  #deps!: PipelineDeps;
  #engine!: SimulatedEngine;
  #heard = 0;
  #over = false;
  readonly counts = { troubles: 0, deliveries: 0, signed: 0, rejected: 0, refused: 0, by_hand: 0, acts: 0 };
  /** Executions that the executor was asked to act out. */
  readonly acted = new Map<string, number>();

  constructor(
    database: TestDatabase,
    simulation: Simulation,
    dice: Dice,
    people: readonly Person[],
    services: number,
  ) {
    this.#database = database;
    this.#simulation = simulation;
    this.#dice = dice;
    this.#people = people;
    const alertnames = ["Down", "Crash", "Slow", "Odd", "Noted"];
    this.#services = Array.from({ length: services }, (_, index) => ({
      name: `service-${index}`,
      alertname: `Service${alertnames[index % alertnames.length]}`,
      healthy: true,
      firing: null,
      curable: true,
      acts: 0,
    }));
  }

  get names(): string[] {
    return this.#services.map((service) => service.name);
  }

  #service(name: string | undefined): Service {
    const found = this.#services.find((service) => service.name === name);
    if (found === undefined) throw new Error(`there is no ${name}`);
    return found;
  }

  readonly executor: Executor = {
    id: "life",
    kinds: ["process.restart"],
    resolve: async () =>
      this.#dice.chance(0.02) ? { result: "miss", message: "it is gone" } : { result: "hit" },
    dryRun: async () => {
      if (this.#dice.chance(0.03)) await this.#engine.sleep(45);
      return { checks: [{ name: "program", passed: true, message: "imagined" }] };
    },
    snapshot: async ({ target }) => ({ acts: this.#service(target?.name).acts }),
    act: ({ target }, { execution_id }) => this.#act(this.#service(target?.name), execution_id),
    effect: async ({ target }, { before }) => {
      if (this.#dice.chance(0.2)) return "cannot_tell";
      return this.#service(target?.name).acts > Number(before.acts) ? "done" : "not_done";
    },
    undo: () => ({ ok: false, reason: "imagined" }),
  };

  readonly observer: Observer = {
    id: "life",
    observes: ({ kind }) => kind === "process",
    observe: async ({ name }, now) => {
      const healthy = this.#dice.chance(0.05) ? null : this.#service(name).healthy;
      return {
        at: now.toISOString(),
        healthy,
        facts: [{ name: "probe", passed: healthy === true, message: "" }],
      };
    },
  };

  async #act(service: Service, execution_id: string): Promise<ActResult> {
    this.counts.acts += 1;
    this.acted.set(execution_id, (this.acted.get(execution_id) ?? 0) + 1);
    if (this.#dice.chance(0.04)) return { ok: false, error: "connection refused", sent: false };
    if (this.#dice.chance(0.03)) return { ok: false, error: "permission denied", sent: false };
    if (this.#dice.chance(0.03)) await this.#engine.killHere();
    if (this.#dice.chance(0.05)) await this.#engine.sleep(25 * MINUTE);
    service.acts += 1;
    if (this.#dice.chance(0.03)) await this.#engine.killHere();
    if (service.curable) {
      this.#heal(service);
      if (this.#dice.chance(0.2))
        this.#simulation.after(this.#dice.between(5 * MINUTE, 25 * MINUTE), () => this.#break(service));
    }
    return this.#dice.chance(0.05)
      ? { ok: false, error: "timed out", sent: true }
      : { ok: true, output: "restarted" };
  }

  /** Begins: about so many troubles in `days`, of all services together. */
  begin(deps: PipelineDeps, engine: SimulatedEngine, troubles: number, days: number): void {
    this.#deps = deps;
    this.#engine = engine;
    const mean = (days * DAY * this.#services.length) / troubles;
    for (const service of this.#services) {
      const next = () => {
        if (this.#over) return;
        this.#break(service);
        this.#simulation.after(this.#dice.until(mean), next);
      };
      this.#simulation.after(this.#dice.until(mean), next);
    }
  }

  /** Nothing breaks any more, and what is broken heals. */
  end(): void {
    this.#over = true;
    for (const service of this.#services) {
      if (service.firing !== null) service.firing.heard = true;
      this.#heal(service);
    }
  }

  #break(service: Service): void {
    if (this.#over || service.firing !== null) return;
    this.counts.troubles += 1;
    service.healthy = false;
    service.curable = this.#dice.chance(0.6);
    const severity = service.alertname.endsWith("Noted")
      ? "info"
      : this.#dice.chance(0.3)
        ? "critical"
        : "warning";
    const startsAt = this.#simulation.clock.now().toISOString();
    const firing = { startsAt, severity, heard: !this.#dice.chance(0.08) };
    service.firing = firing;
    this.#send(service, firing, "firing");
    const repeat = () => {
      if (service.firing !== firing || !firing.heard) return;
      if (this.#dice.chance(0.05)) firing.severity = "critical";
      this.#send(service, firing, "firing");
      this.#simulation.after(4 * HOUR, repeat);
    };
    if (firing.heard) this.#simulation.after(4 * HOUR, repeat);
    const lasts = this.#dice.chance(0.1) ? this.#dice.between(DAY, 3 * DAY) : this.#dice.until(2 * HOUR);
    this.#simulation.after(lasts, () => this.#heal(service));
  }

  #heal(service: Service): void {
    service.healthy = true;
    const { firing } = service;
    this.#simulation.after(this.#dice.between(MINUTE, 5 * MINUTE), () => {
      if (!service.healthy || firing === null || service.firing !== firing) return;
      service.firing = null;
      if (firing.heard) this.#send(service, firing, "resolved");
    });
  }

  #send(service: Service, firing: NonNullable<Service["firing"]>, status: "firing" | "resolved"): void {
    const { name, alertname } = service;
    const { severity, startsAt } = firing;
    const labels = { alertname, severity, service: name };
    const body = alertmanagerBody([{ labels, status, startsAt }]);
    const copies = this.#dice.chance(0.2) ? 2 : 1;
    for (let copy = 0; copy < copies; copy += 1) {
      this.#simulation.after(this.#dice.between(0, 2), () => this.#journal(body));
    }
  }

  /** A sender tries until it is acknowledged. */
  async #journal(body: object): Promise<void> {
    this.counts.deliveries += 1;
    const receipt = {
      source: "alertmanager",
      sender: "127.0.0.1",
      body: Buffer.from(JSON.stringify(body)),
      received_at: this.#simulation.clock.now(),
    };
    await insertReceipts(this.#database.ctx(), [receipt]);
  }

  /** What the worker does: everything that waits in the journal. A failure leaves it there. */
  async takeIn(): Promise<void> {
    const ctx = this.#deps.as("intake");
    const waiting = await waitingReceipts(ctx, Number.MAX_SAFE_INTEGER, 100);
    if (waiting.length === 0) return;
    const deliveries = waiting.map((receipt) => ({
      receipt,
      body: JSON.parse(receipt.body.toString()) as unknown,
    }));
    await processReceipts(ctx, this.#deps, deliveries).catch((error: unknown) => {
      if (!isUnavailable(error)) throw error;
    });
  }

  /** People react to what they were told since the last time, and to nothing else. */
  async listen(): Promise<void> {
    const { rows } = await this.#database.pool.query<{
      seq: number;
      topic: string;
      incident_id: string;
      payload: { approval_id: string };
    }>("select seq::int, topic, incident_id, payload from outbox where seq > $1 order by seq", [this.#heard]);
    for (const { seq, topic, incident_id, payload } of rows) {
      this.#heard = seq;
      if (topic === "approval.pending") this.#consider(payload.approval_id);
      if (topic === "incident.reminder" || topic === "incident.reopened") this.#lookAt(incident_id);
    }
  }

  #consider(approval_id: string): void {
    const mood = this.#dice.share();
    const soon = () => this.#dice.between(MINUTE, 55 * MINUTE);
    const [ada, bob] = this.#people as [Person, Person];
    if (mood < 0.6) this.#simulation.after(soon(), () => this.#sign(ada, approval_id));
    if (mood < 0.55) this.#simulation.after(soon(), () => this.#sign(bob, approval_id));
    if (mood > 0.9) this.#simulation.after(soon(), () => this.#reject(ada, approval_id));
  }

  #lookAt(incident_id: string): void {
    const [ada] = this.#people as [Person];
    if (this.#dice.chance(0.15)) {
      this.counts.by_hand += 1;
      this.#simulation.after(this.#dice.between(MINUTE, HOUR), () =>
        this.#person(ada, (ctx) => resolve(ctx, { incident_id, comment: "done by hand" })),
      );
      if (this.#dice.chance(0.2)) {
        this.#simulation.after(this.#dice.between(HOUR, DAY), () =>
          this.#person(ada, (ctx) => reopen(ctx, { incident_id })),
        );
      }
    }
  }

  async #person(person: Person, act: (ctx: Ctx) => Promise<unknown>): Promise<boolean> {
    const ctx = this.#database.ctx(person, this.#simulation.clock);
    return act(ctx).then(
      () => true,
      (error: unknown) => {
        if (!(error instanceof AwoooiError)) throw error;
        this.counts.refused += 1;
        return false;
      },
    );
  }

  async #sign(person: Person, approval_id: string): Promise<void> {
    const { rows } = await this.#database.pool.query<{ plan_hash: string }>(
      "select plan_hash from approvals where approval_id = $1",
      [approval_id],
    );
    const plan_hash = rows[0]?.plan_hash ?? "";
    if (await this.#person(person, (ctx) => approve(ctx, { approval_id, plan_hash }, this.#deps.approval)))
      this.counts.signed += 1;
  }

  async #reject(person: Person, approval_id: string): Promise<void> {
    if (await this.#person(person, (ctx) => reject(ctx, { approval_id, reason: "not now" })))
      this.counts.rejected += 1;
  }
}
