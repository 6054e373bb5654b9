import {
  type AlertNotice,
  alertIdentity,
  callOf,
  type Decoded,
  formerKeys,
  type NormalisedAlert,
  normalise,
  noticePlace,
  type Receipt,
  type Source,
  type SourceAlert,
  senderOf,
  signalIdentity,
} from "../../intake/index.ts";
import { clip } from "../../lib/clip.ts";
import { addSeconds } from "../../lib/clock.ts";
import { messageOf } from "../../lib/error.ts";
import { redactText } from "../../lib/redact.ts";
import type { PipelineDeps, Received } from "../types.ts";

/**
 * A receipt and its body as JSON. `cut` names what was left out of a body over the limits; `unattended` is true when the
 * sender does not wait for the outcome.
 */
export type Delivery = { receipt: Receipt; body: unknown; cut?: string | null; unattended?: boolean };

export type Understood = Omit<Received, "alerts"> & {
  /** The source is debounced: a repetition within the window counts once. */
  debounced: boolean;
  alerts: AlertNotice[];
  /** Identities of alerts that the sender reports as acknowledged. */
  acknowledged: readonly string[];
  /** A part of the body was not understood or was left out. */
  faulty: boolean;
};

// At most this many faults of a body are kept in its error.
const MOST_FAULTS = 50;
const LONGEST_ERROR = 2_000;
// A preview, before the receipt is journalled, decodes at most this many alerts.
const FORESEEN = 100;

/** Sets `holds_until` to `resolve_timeout` seconds after receipt where the sender does not give it. */
function lasting(alert: SourceAlert, { received_at }: Receipt, deps: PipelineDeps): SourceAlert {
  if (alert.holds_until !== null) return alert;
  return { ...alert, holds_until: addSeconds(received_at, deps.resolve_timeout) };
}

/** Identifies a signal by its fingerprint alone, whatever else it carries. */
function ofSignal({ adapter, organisation, fingerprint }: NormalisedAlert) {
  const source_fingerprint = signalIdentity(fingerprint);
  return { source_fingerprint, identity: alertIdentity(adapter, organisation, source_fingerprint) };
}

/** Returns the error kept with a receipt: first what was left out, then the faults; null where there is none. */
function errorOf(cut: string | null, beyond: number, most: number, rejected: readonly string[]) {
  const words = [
    ...(cut === null ? [] : [cut]),
    ...(beyond > 0 ? [`truncated: only the first ${most} of ${most + beyond} alerts are processed`] : []),
    ...rejected.slice(0, MOST_FAULTS),
  ];
  return words.length === 0 ? null : clip(redactText(words.join("; ")), LONGEST_ERROR);
}

function* decoding(source: Source, body: unknown): Generator<void, Decoded> {
  const { decode } = source;
  return decode.steps === undefined ? source.decode(body) : yield* decode.steps(body);
}

function* normalising(
  deps: PipelineDeps,
  source: Source,
  { receipt, cut = null }: Delivery,
  { alerts, external_url }: Extract<Decoded, { ok: true }>,
): Generator<void, AlertNotice[]> {
  const { seq, sender, received_at, replays = 0 } = receipt;
  const call = source.counts_calls ? callOf(receipt) : undefined;
  const notices = { sender: senderOf(sender, external_url), received_at, replayed: replays > 0, times: 1 };
  const all: AlertNotice[] = [];
  for (const [index, one] of alerts.entries()) {
    // What was left out of the body may have been part of any of its alerts.
    const whole = cut === null ? one : { ...one, incomplete: true };
    const source_alert = lasting(whole, receipt, deps);
    const alert = normalise(source_alert, source.id, received_at, deps.classification, call);
    const place = noticePlace(received_at, seq, index);
    all.push({ ...alert, ...(source.debounced ? ofSignal(alert) : {}), ...notices, place });
    yield;
  }
  return all;
}

/**
 * Decodes a body into at most `most` normalised alerts, yielding after each. Never throws: a body that cannot be decoded
 * becomes a dead letter, and so does one with more alerts than `most`.
 */
export function* decodeReceipt(
  deps: PipelineDeps,
  { receipt, body, cut = null }: Delivery,
  most = deps.alerts_per_body,
): Generator<void, Understood> {
  const { seq, source: id, sender } = receipt;
  const source = deps.sources.find((one) => one.id === id);
  const about = {
    ...{ seq, source: id, sender, bytes: receipt.body.length, replayed: (receipt.replays ?? 0) > 0 },
    debounced: source?.debounced === true,
    truncated: cut !== null,
  };
  const dead = (reason: string): Understood => ({
    ...about,
    alerts: [],
    acknowledged: [],
    faulty: true,
    error: errorOf(cut, 0, most, [reason]),
  });
  // The row's source is unknown here, and must not reach metrics or logs as a source name.
  if (source === undefined) return { ...dead(`there is no source ${id}`), source: "unknown" };
  try {
    const decoded = yield* decoding(source, body);
    if (!decoded.ok) return dead(decoded.reason);
    const beyond = Math.max(0, decoded.alerts.length - most);
    const understood = { ...decoded, alerts: decoded.alerts.slice(0, most) };
    const alerts = yield* normalising(deps, source, { receipt, body, cut }, understood);
    const acknowledged = (decoded.acknowledged ?? []).flatMap((key) => [
      alertIdentity(id, "", key),
      ...formerKeys(id, key),
    ]);
    const error = errorOf(cut, beyond, most, decoded.rejected);
    const faulty = cut !== null || decoded.rejected.length > 0;
    return { ...about, alerts, acknowledged, faulty, error, truncated: cut !== null || beyond > 0 };
  } catch (error) {
    return dead(messageOf(error));
  }
}

/**
 * Returns, before a call is journalled, whether it or a part of it would be a dead letter, and the fingerprints that fire
 * in it. A large body is judged by its first alerts; the worker decodes the rest.
 */
export function previewReceipt(
  deps: PipelineDeps,
  call: Omit<Receipt, "seq">,
  { json, longest, cut }: { json: unknown; longest: number; cut: string | null },
) {
  const delivery = {
    receipt: { ...call, seq: 0 },
    body: json,
    cut: longest > deps.alerts_per_body ? cut : null,
  };
  const steps = decodeReceipt(deps, delivery, FORESEEN);
  for (;;) {
    const { done, value } = steps.next();
    if (done) return { dead: value.faulty, fingerprints: firingIn(value.alerts) };
  }
}

/** Returns the fingerprints of the firing alerts. */
export const firingIn = (alerts: Received["alerts"]): string[] =>
  alerts.filter(({ status }) => status === "firing").map(({ fingerprint }) => fingerprint);
