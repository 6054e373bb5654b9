import { setTimeout as delay } from "node:timers/promises";
import type { Page } from "../../src/contract/common.ts";
import type { Server } from "../support/server.ts";
import { until } from "../support/until.ts";
import type { Answer } from "./judge.ts";
import type { Drawn } from "./requests.ts";
import { genuine, SENDERS } from "./senders.ts";

const SECONDS = 60;
/** How often, a second apart, one is sent again that the server cannot take now. */
const TRIES = 30;

type Ask = (drawn: Drawn) => Promise<Answer>;

async function insist(ask: Ask, drawn: Drawn): Promise<Answer> {
  let answer = await ask(drawn);
  for (let tries = 1; answer.status === 503 && tries < TRIES; tries += 1) {
    await delay(1_000);
    answer = await ask(drawn);
  }
  return answer;
}

/** Genuine alerts of every source, sent beside all that is not: what is acknowledged must be there in the end. */
export class Canaries {
  /** Subjects that were acknowledged, by what sent them. */
  readonly #acknowledged = new Map<string, string>();
  readonly #wrong: string[] = [];
  #count = 0;

  /** Sends one of each kind, and expects each to be taken. */
  async send(ask: Ask): Promise<void> {
    for (const sender of SENDERS) {
      this.#count += 1;
      const subject = `canary-${this.#count}-end`;
      const { status, text } = await insist(ask, genuine(sender, subject));
      if (status === (sender.fixture.status ?? 200)) this.#acknowledged.set(subject, sender.name);
      else this.#wrong.push(`a genuine alert of ${sender.name} was answered ${status} ${text.slice(0, 300)}`);
    }
  }

  /** What is wrong with them in the end; empty when every one was taken and is kept. */
  async verdict({ admin }: Server): Promise<string[]> {
    const missing = new Map(this.#acknowledged);
    const look = async () => {
      for (let cursor: string | null = ""; cursor !== null && missing.size > 0; ) {
        const query = cursor === "" ? "" : `&cursor=${cursor}`;
        const page: Page<unknown> = await admin.get(`/alerts?limit=200${query}`);
        for (const [subject] of JSON.stringify(page.items).matchAll(/canary-\d+-end/g))
          missing.delete(subject);
        cursor = page.next_cursor;
      }
      return missing.size === 0;
    };
    // What was acknowledged last may wait in the journal.
    await until(look, "every canary", SECONDS).catch(() => undefined);
    const lost = [...missing].map(([subject, name]) => `${subject} of ${name} was acknowledged, and is lost`);
    return [...this.#wrong, ...lost];
  }
}
