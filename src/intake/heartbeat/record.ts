import { authorise } from "../../access/index.ts";
import type { Ctx } from "../../db/ctx.ts";
import { hashOfTexts } from "../../lib/canonical-json.ts";
import { clip } from "../../lib/clip.ts";
import { subjectOfAlert } from "../normalise/subject.ts";
import type { NormalisedAlert } from "../types.ts";
import { type Beat, recordBeats } from "./store.ts";
import type { ExpectedHeartbeat, HeartbeatTerms } from "./types.ts";

const idOf = (...texts: string[]) => `HB-${hashOfTexts(texts).slice(0, 12)}`;
/** Returns the id of the heartbeat that is learnt from alerts of this source and fingerprint. */
export const learntBeatId = (source: string, fingerprint: string) => idOf("learnt", source, fingerprint);
// Categories of AWOOOI's alerts about its own health: they arrive as any alert does, but are no sign of life of a sender.
const OWN = ["alertchain_health", "flywheel_health"];
// Severity of a missing heartbeat that the configuration does not name: it may have been removed on purpose.
const LEARNT = "warning";

export function expectedBeat({ name, source, interval, severity }: ExpectedHeartbeat): Beat {
  return { heartbeat_id: idOf("expected", name), name, source, expected: true, severity, interval };
}

/** Builds a name from all that the fingerprint is made of, so that the heartbeats of two senders have two names. */
function nameOf({ alert_name, labels, namespace, cluster }: NormalisedAlert): string {
  const { workload } = subjectOfAlert({ labels, alert_name });
  const where = [
    workload === alert_name ? "" : `on ${workload}`,
    namespace === "default" ? "" : `in ${namespace}`,
    cluster && `of ${cluster}`,
  ];
  return clip([alert_name, ...where].filter(Boolean).join(" "), 200, "");
}

function learntBeat(alert: NormalisedAlert, interval: number): Beat {
  const { source, fingerprint } = alert;
  return {
    heartbeat_id: learntBeatId(source, fingerprint),
    name: nameOf(alert),
    source,
    expected: false,
    severity: LEARNT,
    interval,
  };
}

/**
 * Records firing alerts as heartbeats: every expected heartbeat that an alert fits, or a learnt one for a Watchdog that fits
 * none. `since` is when AWOOOI began to listen.
 */
export async function recordHeartbeats(
  ctx: Ctx,
  alerts: readonly NormalisedAlert[],
  terms: HeartbeatTerms,
  since: Date,
): Promise<void> {
  authorise(ctx.actor, "record heartbeats", { people: "none", system: ["intake"] });
  const beats = new Map<string, Beat>();
  const add = (beat: Beat) => beats.set(beat.heartbeat_id, beat);
  const expected = terms.expected.map((one) => ({ one, beat: expectedBeat(one) }));
  for (const alert of alerts) {
    if (alert.status !== "firing" || OWN.includes(alert.alert_category)) continue;
    const fitting = expected.filter(({ one }) => one.fits(alert));
    for (const { beat } of fitting) add(beat);
    if (alert.heartbeat && fitting.length === 0) add(learntBeat(alert, terms.interval));
  }
  if (beats.size > 0) await recordBeats(ctx, [...beats.values()], since);
}
