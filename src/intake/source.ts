import type { z } from "zod";
import type { WebhookAnswer } from "../contract/webhook.ts";
import type { SenderRequest } from "./sender/check-sender.ts";
import type { SignatureForm } from "./sender/check-signature.ts";
import type { Decoded } from "./types.ts";

/** The parts of a request that identify its sender. */
export type SentRequest = {
  call: SenderRequest;
  /** Returns a header by its lower-case name, as one text however often it was sent. */
  header(name: string): string | undefined;
};

/** How a source's sender is checked. Both functions throw for a sender that is not admitted. */
export type SenderCheck = {
  /** Called before the body is read. Returns the sender; null: it can be told from the body only. */
  before(request: SentRequest): string | null;
  /** Returns the sender, by the raw bytes of the body; called where `before` returned null. */
  byBody(body: Buffer, request: SentRequest): string;
};

/** The checks that a source may choose from or build upon, with the settings of the installation. */
export type SenderChecks = {
  /** By the address of the caller, otherwise by a token or basic credentials of `intake`. */
  network: SenderCheck;
  /**
   * By an HMAC of the body, from any network: in AWOOOI's own form with `intake.hmac_secrets`, or in the form and with the
   * secrets given. Where no secret is configured or required, as `network`.
   */
  signature(own?: { form: SignatureForm; secrets: readonly string[] }): SenderCheck;
  /** By a token or signature configured for one source. */
  secret(policy: SecretPolicy): SenderCheck;
  /** Whether a secret is mandatory: in production nothing is accepted from such a source while none is configured. */
  required: boolean;
};

/** Secrets of one source. Any of them is accepted, so that one can replace another. */
export type SecretPolicy = {
  tokens: readonly string[];
  /** The header that a token may stand in, beside `Authorization`. */
  header?: string | undefined;
  hmac_secrets: readonly string[];
};

/** The answer that a vendor's senders expect, where it differs from AWOOOI's own, which says what became of the alerts. */
type VendorAnswer = {
  status: 200 | 202;
  schema: z.ZodType;
  /**
   * Makes the answer from what is known of the call's alerts; null: nothing yet. `decoded` gives the source's result for the
   * body, which is decoded once and only if it is asked for.
   */
  of(known: WebhookAnswer | null, decoded: () => Decoded): unknown;
  /**
   * The answer, with status 400, to a body that cannot be decoded, for vendors whose senders take 2xx as success and 400 as
   * final. The body becomes a dead letter all the same.
   */
  invalid?: { schema: z.ZodType; of(reason: string): unknown };
};

/** A path that a source is called at, by POST. */
export type Endpoint = {
  /** The whole path; `:name` in it is the name of one of several sources of the kind. */
  path: string;
  /** Other paths for it, for clients that can be configured with a host only. They appear in no document. */
  aliases?: readonly string[];
  summary: string;
  /** Schema of the body, for the API's description only: any body is journalled. */
  body: z.ZodType;
  answer?: VendorAnswer;
};

/** Settings of a kind of source. They can change while the server runs. */
type SourceSettings<Settings> = {
  /** Their place in the configuration, dotted: a section of its own, or one within `intake`. */
  path: string;
  schema: z.ZodType<Settings>;
  /** Environment variables that set one of them, by its name within `path`; with `[]` the value is added to that list. */
  environment?: Readonly<Record<string, string>>;
};

/**
 * A kind of source, defined completely in its folder. Routes, the API's description, the configuration's schema, the list of
 * secrets, and the suite that every source is held to are derived from it.
 */
export type SourceKind<Settings = unknown> = {
  /** Name of its source, or the part before the colon in the names of its sources: `custom:NAME`. */
  id: string;
  name: string;
  /** Words by which people may look for it, besides its id and paths. */
  keywords?: readonly string[];
  endpoints: readonly Endpoint[];
  /** What callers authenticate with: any sender's credentials, AWOOOI's signature too, or the vendor's own signature. */
  credentials: "sender" | "signature" | { header: string; description: string };
  /** Whether calls may carry an `Idempotency-Key`; for sources whose alerts need no start. */
  idempotent?: true;
  /** Whether its calls go onto the signal stream; the answer is then the place there. */
  signals?: true;
  /** The heading that it has in `docs/reference/sources.md`. */
  documentation: string;
  settings?: SourceSettings<Settings>;
  /** Creates the source; for a kind whose sources are named in the settings, one for each name. */
  create(settings: Settings): Source | readonly Source[];
};

/** A source of alerts: decodes a vendor's JSON into alerts. Decoding is lenient and never throws. */
export type Source = {
  id: string;
  /** How its callers are checked; null: it cannot be called from outside. */
  sender: ((checks: SenderChecks) => SenderCheck) | null;
  /**
   * Set where each call with an alert that has no start counts as an outage of its own, and a resolved notice ends all of them;
   * in other sources such an alert is one outage that lasts until it resolves.
   */
  counts_calls?: true;
  /** Set where alerts of one fingerprint that arrive shortly after each other count once. */
  debounced?: true;
  decode: Decode;
};

/** `body` is parsed JSON of any shape. */
export type Decode = ((body: unknown) => Decoded) & {
  /** The same, yielding after each alert: for sources that send many in one body. */
  steps?: (body: unknown) => Generator<void, Decoded>;
};
