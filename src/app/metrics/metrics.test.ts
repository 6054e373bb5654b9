import { expect, it } from "vitest";
import type { Card, Notifier, SendResult } from "../../notification/index.ts";
import type { Received } from "../../pipeline/index.ts";
import type { Adapters } from "../create-adapters.ts";
import { createMetrics } from "./metrics.ts";

const RECEIPT: Received = {
  ...{ seq: 1, source: "grafana", sender: "10.0.0.1", bytes: 10, replayed: false },
  alerts: [],
  error: null,
};

it("takes a source for working by what it sends that is parsed, and no body that is a dead letter whole", async () => {
  const { registry, received } = createMetrics(["grafana"]);
  const last = async () => {
    const found = await registry.getSingleMetric("awoooi_alert_chain_last_success_timestamp")?.get();
    return found?.values[0]?.value;
  };
  received({ ...RECEIPT, error: "not an alert" });
  received({ ...RECEIPT, error: "more alerts than one body may have", truncated: true });
  expect(await last()).toBe(0);
  received({
    ...RECEIPT,
    alerts: [{ status: "firing", fingerprint: "f" }],
    error: "[1] has no labels",
  });
  const some = await last();
  expect(some).toBeGreaterThan(0);
  received(RECEIPT);
  expect(await last()).toBeGreaterThan(0);
});

it("counts what a notifier sends, and leaves it all that it can do", async () => {
  class Chat implements Notifier {
    readonly id = "chat";
    readonly rate = { messages: 20, seconds: 60 };
    readonly threads = true;
    #edits = 0;
    async send(): Promise<SendResult> {
      return { ok: true, message_id: "m-1" };
    }
    async edit(): Promise<SendResult> {
      this.#edits += 1;
      return { ok: true, message_id: `edit ${this.#edits}` };
    }
  }
  const { registry, counted } = createMetrics([]);
  const [chat] = counted({ notifiers: [new Chat()], executors: [] } as unknown as Adapters).notifiers;
  const signal = new AbortController().signal;
  expect(chat).toMatchObject({ id: "chat", rate: { messages: 20, seconds: 60 }, threads: true });
  expect(await chat?.send({} as Card, { signal, reply_to: null })).toEqual({ ok: true, message_id: "m-1" });
  expect(await chat?.edit?.("m-1", {} as Card, signal)).toEqual({ ok: true, message_id: "edit 1" });
  expect(await registry.metrics()).toMatch(/notices_total\{notifier="chat",result="delivered"\} 1/);
});
