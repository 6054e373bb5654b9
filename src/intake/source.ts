import type { z } from "zod";
import type { WebhookAnswer } from "../contract/webhook.ts";
import type { Call } from "./check-sender.ts";
import type { SignatureForm } from "./check-signature.ts";
import type { Decoded } from "./types.ts";

/** What of a request tells who sent it. */
export type SentRequest = {
  call: Call;
  /** A header by its name in lower case, as one text however often it was sent. */
  header(name: string): string | undefined;
};

/** How a source's sender is checked. Both halves throw for one that is not admitted. */
export type SenderCheck = {
  /** Before the body is read: who sent it; null: only the body tells. */
  before(request: SentRequest): string | null;
  /** Who sent it, by the bytes of the body as they came; asked where `before` could not tell. */
  byBody(body: Buffer, request: SentRequest): string;
};

/** The checks that a source may choose from or build upon, with the settings of the installation. */
export type SenderChecks = {
  /** By the address of the caller, else by a token or basic credentials of `intake`. */
  network: SenderCheck;
  /**
   * By an HMAC of the body, from whatever network: of AWOOOI's own form with `intake.hmac_secrets`, else of the form
   * and under the secrets that are given. Where none is configured and none is needed, as `network`.
   */
  signature(own?: { form: SignatureForm; secrets: readonly string[] }): SenderCheck;
  /** By a token or signature of one source's own. */
  secret(policy: SecretPolicy): SenderCheck;
  /** Whether a sender that should show a secret must: nothing is taken in production where none is configured. */
  required: boolean;
};

/** Secrets of one source: any of them is taken, so that one can replace another. */
export type SecretPolicy = {
  tokens: readonly string[];
  /** The header that a token may stand in, beside `Authorization`. */
  header?: string | undefined;
  hmac_secrets: readonly string[];
};

/** The answer that a vendor's senders expect, where it is another than what became of the alerts. */
type VendorAnswer = {
  status: 200 | 202;
  schema: z.ZodType;
  /**
   * From the body as JSON of any shape, and what is known of its alerts by now; null: nothing yet. `decode` is
   * what the source makes of it.
   */
  of(json: unknown, known: WebhookAnswer | null, decode: (json: unknown) => Decoded): unknown;
  /**
   * With status 400, what a body that is not understood is answered with, by vendors whose senders take 2xx
   * for done and 400 for good. It is in the dead letters all the same.
   */
  invalid?: { schema: z.ZodType; of(reason: string): unknown };
};

/** A path that a source is called at, by POST. */
export type Endpoint = {
  /** The whole path; `:name` in it is the name of one of several sources of the kind. */
  path: string;
  /** Other paths for it, for clients that can be given no more than a host. They are in no document. */
  aliases?: readonly string[];
  summary: string;
  /** What to send, for the API's description. Whatever comes is written down. */
  body: z.ZodType;
  answer?: VendorAnswer;
};

/** Settings of a kind of source. They can change while the server runs. */
type SourceSettings<Settings> = {
  /** Their place in the configuration, dotted: a section of its own, or one within `intake`. */
  path: string;
  schema: z.ZodType<Settings>;
  /** Names of the environment that stand for one of them, by its name within `path`; `[]`: added to that list. */
  environment?: Readonly<Record<string, string>>;
};

/**
 * A kind of source: all there is to know of it, in its folder. Routes, the API's description, the configuration's schema,
 * what is called a secret, and the suite that every source is held to are derived from it.
 */
export type SourceKind<Settings = unknown> = {
  /** Of its source, or before the colon of the names of its sources: `custom:NAME`. */
  id: string;
  name: string;
  /** Words that people look for it by, beside its id and its paths. */
  keywords?: readonly string[];
  endpoints: readonly Endpoint[];
  /** What a caller may show: the credentials of any sender, AWOOOI's signature too, or a signature of the vendor's. */
  credentials: "sender" | "signature" | { header: string; description: string };
  /** Whether calls may carry an `Idempotency-Key`: where alerts need not say when they began. */
  idempotent?: true;
  /** Whether what it receives goes onto the stream of signals, whose answer is the place there. */
  signals?: true;
  /** The heading that it has in `docs/reference/sources.md`. */
  documentation: string;
  settings?: SourceSettings<Settings>;
  /** The source; of a kind whose sources are named by the settings one for each name. */
  create(settings: Settings): Source | readonly Source[];
};

/** A source of alerts: from a vendor's JSON to alerts. Lenient, and never throws. */
export type Source = {
  id: string;
  /** How its callers are checked; null: nobody outside may call it. */
  sender: ((checks: SenderChecks) => SenderCheck) | null;
  /**
   * Set where an alert without a start counts with each call that brings it, and its resolved notice ends
   * all that it began; elsewhere such an alert is one that lasts until it resolves.
   */
  counts_calls?: true;
  /** Set where alerts of one fingerprint that come soon after each other count once. */
  debounced?: true;
  decode: Decode;
};

/** `body` is parsed JSON of any shape. */
export type Decode = ((body: unknown) => Decoded) & {
  /** The same, resting after each alert: of sources that send many in one body. */
  steps?: (body: unknown) => Generator<void, Decoded>;
};
