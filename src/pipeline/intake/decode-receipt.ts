import {
  type AlertNotice,
  alertIdentity,
  callOf,
  type Decoded,
  formerKeys,
  type NormalisedAlert,
  normalise,
  placeOf,
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
 * A receipt and its body as JSON; `cut` says what of it was more than is read of one. `unattended` when nobody
 * waits to hear what came of it.
 */
export type Delivery = { receipt: Receipt; body: unknown; cut?: string | null; unattended?: boolean };

export type Understood = Omit<Received, "alerts"> & {
  /** What comes soon again counts once. */
  debounced: boolean;
  alerts: AlertNotice[];
  /** Names of alerts of which the sender says that someone is on them. */
  acknowledged: readonly string[];
  /** Something of it is not understood, or more than is read. */
  faulty: boolean;
};

// Of a body with a thousand faults the first say what is wrong with it.
const MOST_FAULTS = 50;
const LONGEST_ERROR = 2_000;
// So many alerts of a body say who is known and what is not understood, before it is written down.
const FORESEEN = 100;

/** What is repeated, and does not say until when it holds, holds for as long as the installation says. */
function lasting(alert: SourceAlert, { received_at }: Receipt, deps: PipelineDeps): SourceAlert {
  if (alert.holds_until !== null) return alert;
  return { ...alert, holds_until: addSeconds(received_at, deps.resolve_timeout) };
}

/** Signals of one fingerprint are one alert, whatever else they say. */
function ofSignal({ adapter, organisation, fingerprint }: NormalisedAlert) {
  const source_fingerprint = signalIdentity(fingerprint);
  return { source_fingerprint, identity: alertIdentity(adapter, organisation, source_fingerprint) };
}

/** What is wrong with a body as it is kept: what was left out comes first. */
function errorOf(cut: string | null, beyond: number, most: number, rejected: readonly string[]) {
  const words = [
    ...(cut === null ? [] : [cut]),
    ...(beyond > 0 ? [`truncated: of ${most + beyond} alerts the first ${most} are understood`] : []),
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
    // What was left out of the body may have been a part of any of them.
    const whole = cut === null ? one : { ...one, incomplete: true };
    const source_alert = lasting(whole, receipt, deps);
    const alert = normalise(source_alert, source.id, received_at, deps.classification, call);
    const place = placeOf(received_at, seq, index);
    all.push({ ...alert, ...(source.debounced ? ofSignal(alert) : {}), ...notices, place });
    yield;
  }
  return all;
}

/**
 * From a body to alerts in our own terms, resting after each: `most` of them at most. Never throws: what cannot be
 * understood is a dead letter, and so is a body with more than is understood of one.
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
  // What the row says is not a source of ours, and must not become a name of one.
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
 * What would come of a call, before it is written down: whether it, or a part of it, is a dead letter, and what
 * fires in it. Of a large body that is found out by its first alerts; the worker tells the rest.
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

/** The fingerprints of what fires. */
export const firingIn = (alerts: Received["alerts"]): string[] =>
  alerts.filter(({ status }) => status === "firing").map(({ fingerprint }) => fingerprint);
