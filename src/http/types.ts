import type { ApprovalTerms } from "../approval/index.ts";
import type { Health } from "../contract/system.ts";
import type { WebhookAnswer } from "../contract/webhook.ts";
import type { Ctx } from "../db/ctx.ts";
import type { Call } from "../intake/index.ts";
import type { Actor } from "../lib/actor.ts";
import type { Log } from "../lib/log.ts";
import type { HttpMeter } from "./observe.ts";

/** What the routes are made with; all of it is bound in app. */
export type HttpDeps = {
  /** A context for an actor; anonymous calls get one only to be authenticated with. */
  ctxOf: (actor: Actor) => Ctx;
  /** How a sender is admitted, or an error. */
  checkSender: (call: Call) => string;
  /** Writes a call into the journal, then waits a little for what comes of it: null when that must wait. */
  receive: (input: {
    source: string;
    sender: string;
    body: Buffer;
    json: unknown;
  }) => Promise<WebhookAnswer | null>;
  terms: ApprovalTerms;
  health: () => Promise<Health>;
  meter: HttpMeter;
  metrics: {
    /** Whether a call may read the metrics without a token. */
    admits: (call: Call) => boolean;
    /** All of them, in Prometheus' text format. */
    page: () => Promise<string>;
  };
  /** Of AWOOOI. */
  version: string;
  /** Bytes of a body. */
  body_limit: number;
  log: Log;
};
