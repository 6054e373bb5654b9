import { setTimeout as delay } from "node:timers/promises";
import type { Random } from "../../src/lib/id.ts";
import { alertmanagerBody } from "../support/alerts.ts";
import { between } from "../support/random.ts";

/** Longer than any answer may take while the database is away: what comes later is not an answer. */
export const ANSWER_LIMIT_MS = 15_000;
const RETRY_MS = 50;
const SERVICES = 20;

type Labels = Record<string, string> & { event_id: string };
const began = () => new Date().toISOString();
const own = (labels: Labels) => ({ status: "firing", starts_at: began(), labels });
const WEBHOOKS = "/api/v1/webhooks";
const ALERTMANAGER = `${WEBHOOKS}/alertmanager`;
/** How sources say the same of an alert, by where they call. */
const KINDS: Record<string, (labels: Labels) => object> = {
  [ALERTMANAGER]: (labels) => alertmanagerBody([{ labels }]),
  [`${WEBHOOKS}/grafana`]: (labels) => ({ ...alertmanagerBody([{ labels }]), orgId: 1, state: "alerting" }),
  [`${WEBHOOKS}/signoz`]: (labels) => alertmanagerBody([{ labels }]),
  [`${WEBHOOKS}/alerts`]: (labels) => ({ alerts: [own(labels)] }),
  "/api/v2/alerts": (labels) => [{ labels, startsAt: began(), endsAt: "2099-01-01T00:00:00Z" }],
};

/** Senders that repeat each alert until it is acknowledged, as Alertmanager does, and remember which were. */
export class Senders {
  /** Label `event_id` of every alert that was answered with 2xx. */
  readonly acknowledged = new Set<string>();
  /** Answers by status; those that never came, because the server was killed, under `none`. */
  readonly answers: Record<string, number> = {};
  /** What no sender may ever see. */
  readonly violations: string[] = [];
  readonly #url: () => string;
  readonly #random: Random;
  readonly #stop = new AbortController();
  #running: Promise<unknown> = Promise.resolve();
  #count = 0;

  constructor(url: () => string, random: Random) {
    this.#url = url;
    this.#random = random;
  }

  /** Begins `count` senders, which go on until `stop`. */
  start(count: number): void {
    this.#running = Promise.all(Array.from({ length: count }, () => this.#load()));
  }

  /** Ends them; what is not acknowledged yet stays so. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  /** Sends an alert, the very same, until it is acknowledged. */
  async deliver(labels: Labels, path = ALERTMANAGER): Promise<void> {
    const body = JSON.stringify(KINDS[path]?.(labels));
    while (!this.#stop.signal.aborted) {
      if ((await this.#post(path, body, labels.event_id)) === 200) {
        this.acknowledged.add(labels.event_id);
        return;
      }
      await delay(RETRY_MS);
    }
  }

  async #load(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      this.#count += 1;
      const service = `service-${between(this.#random, 1, SERVICES)}`;
      const paths = Object.keys(KINDS);
      const path = paths[between(this.#random, 0, paths.length - 1)];
      await this.deliver({ alertname: "ChaosLoad", service, event_id: `load-${this.#count}` }, path);
      await delay(between(this.#random, 10, 60));
    }
  }

  async #post(path: string, body: string, sent: string): Promise<number | undefined> {
    const status = await fetch(`${this.#url()}${path}`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body,
      signal: AbortSignal.timeout(ANSWER_LIMIT_MS),
    }).then(
      async (response) => {
        await response.body?.cancel();
        const { status } = response;
        if (status !== 200 && status !== 503) this.violations.push(`${sent} was answered with ${status}`);
        if (status === 503 && !(Number(response.headers.get("retry-after")) > 0)) {
          this.violations.push(`${sent} was answered with 503, without Retry-After`);
        }
        return status;
      },
      (error: Error) => {
        if (error.name === "TimeoutError") this.violations.push(`${sent} was not answered in time`);
        return undefined;
      },
    );
    const key = String(status ?? "none");
    this.answers[key] = (this.answers[key] ?? 0) + 1;
    return status;
  }
}
