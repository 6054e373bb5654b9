import { createHmac } from "node:crypto";
import { z } from "zod";
import { messageOf } from "../../../lib/error.ts";
import { example, secret } from "../../../lib/setting.ts";
import type { Notifier, SendResult } from "../../../notification/index.ts";

const config = z.strictObject({
  url: example(secret(z.url({ protocol: /^https?$/ }), "address"), "https://chat.example/hook"),
  secret: example(secret(z.string().min(16)).optional(), "at-least-16-characters").describe(
    "signs the body: header `X-Signature-256: sha256=` and the HMAC in hexadecimal",
  ),
});
/** One of several webhooks, which notification routes select by name. */
const named = config.extend({
  name: example(
    z.string().regex(/^[\w.-]{1,64}$/, "a name has letters, digits, dots, hyphens and underscores"),
    "security",
  ),
});
type WebhookConfig = z.infer<typeof config> & { name?: string };

function resultOf(response: Response): SendResult {
  if (response.ok) return { ok: true };
  const retryable = response.status >= 500 || response.status === 429 || response.status === 408;
  return { ok: false, error: `the receiver answered ${response.status}`, retryable };
}

const settings = {
  webhook: config.optional(),
  webhooks: z.array(named).default([]).describe("further webhooks"),
};
type Section = z.output<z.ZodObject<typeof settings>>;

/** Posts each card as JSON to the URLs that the operator configured: one unnamed, and any number of named ones. */
export const webhook = {
  id: "webhook",
  settings,
  channels: ({ webhook: one, webhooks }: Section) => [
    ...(one === undefined ? [] : [{ name: "webhook", path: null }]),
    ...webhooks.map(({ name }, index) => ({ name, path: ["webhooks", index, "name"] })),
  ],
  create: ({ webhook: one, webhooks }: Section): Notifier[] => [
    ...(one === undefined ? [] : [createWebhook(one)]),
    ...webhooks.map(createWebhook),
  ],
};

function createWebhook({ url, secret: key, name = "webhook" }: WebhookConfig): Notifier {
  return {
    id: name,
    async send(card, { signal }) {
      const body = JSON.stringify(card);
      const signature = key && `sha256=${createHmac("sha256", key).update(body).digest("hex")}`;
      const headers = {
        "content-type": "application/json",
        "idempotency-key": card.id,
        ...(signature ? { "x-signature-256": signature } : {}),
      };
      try {
        const response = await fetch(url, { method: "POST", headers, body, signal, redirect: "error" });
        await response.body?.cancel();
        return resultOf(response);
      } catch (error) {
        return { ok: false, error: messageOf(error), retryable: true };
      }
    },
  };
}
