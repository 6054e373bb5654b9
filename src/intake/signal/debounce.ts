import type { Ctx } from "../../db/ctx.ts";
import { addSeconds } from "../../lib/clock.ts";
import type { NormalisedAlert } from "../types.ts";
import { type SignalInstance, signalInstances } from "./store.ts";

// An absent severity ranks lowest.
const isWorse = (one: SignalInstance["severity"], other: SignalInstance["severity"]) =>
  (one ?? "P9") < (other ?? "P9");

/**
 * Debounces the signals of a batch, in the order they came: returns each under the instance that it counts on. A signal received
 * within `window` seconds of a counted one joins that one's instance. It does not join one that ended before the signal came, or
 * a less severe one: a fingerprint that gets worse is not held back. The caller holds the locks on the fingerprints.
 */
export async function debounce<T extends NormalisedAlert>(
  ctx: Ctx,
  signals: readonly T[],
  window: number,
): Promise<T[]> {
  if (signals.length === 0) return [];
  const oldest = new Date(signals.reduce((least, { starts_at }) => Math.min(least, +starts_at), Infinity));
  const fingerprints = [...new Set(signals.map((signal) => signal.fingerprint))];
  const instances = new Map<string, SignalInstance[]>(fingerprints.map((key) => [key, []]));
  for (const one of await signalInstances(ctx, fingerprints, addSeconds(oldest, -window)))
    instances.get(one.fingerprint)?.push(one);
  return signals.map((signal) => place(signal, instances.get(signal.fingerprint) ?? [], window));
}

/** Places one signal, and records in `instances` what it begins or ends. */
function place<T extends NormalisedAlert>(signal: T, instances: SignalInstance[], window: number): T {
  const { fingerprint, instance_key, severity, starts_at } = signal;
  if (signal.status === "resolved") {
    for (const one of instances) if (one.starts_at <= starts_at) one.ended_at ??= starts_at;
    return signal;
  }
  const takesIn = (one: SignalInstance) =>
    Math.abs(+starts_at - +one.starts_at) < window * 1000 &&
    (one.ended_at === null || one.ended_at >= starts_at) &&
    !isWorse(severity, one.severity);
  const into = instances.find((one) => one.instance_key === instance_key) ?? instances.find(takesIn);
  if (into !== undefined) return { ...signal, instance_key: into.instance_key };
  instances.push({ fingerprint, instance_key, severity, starts_at, ended_at: null });
  return signal;
}
