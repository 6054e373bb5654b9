import type { Ctx } from "../../db/ctx.ts";
import { addSeconds } from "../../lib/clock.ts";
import { prefixedId } from "../../lib/id.ts";
import { formerKeys } from "../normalise/normalise.ts";
import { difference } from "../normalise/repair-restrictions.ts";
import type { AlertNotice, StoredAlert } from "../types.ts";
import {
  applyFiring,
  applyResolved,
  firstReportedEnd,
  type KnownOutages,
  type Outage,
  reportedEnd,
} from "./decide.ts";
import { sameByOtherRoute } from "./routes.ts";
import {
  adoptAlerts,
  changeOutages,
  deleteHeld,
  formerAlerts,
  formerlyOver,
  knownOutages,
  type OutageChange,
  type OutageRow,
  type StoredOutage,
} from "./store.ts";

/** A notice with the outage that it belongs to. */
export type OutageNotice = AlertNotice &
  StoredAlert & {
    /** Whether it fires, and so goes on to an incident. */
    fires: boolean;
    /** Whether the outage is already in the database. */
    is_stored: boolean;
  };

export type RecordedOutages = {
  /** Each notice of the batch with its outage; a resolved notice appears once for each outage that it ends. */
  notices: OutageNotice[];
  /** Outages to insert, by alert id, without the fields that the pipeline adds. */
  fresh: Map<string, Pick<OutageRow, "outage" | "held_until" | "ended_with" | "ended_by">>;
};

/** Turns firing alerts stored before outages were counted into outages of the alerts that the notices name. */
async function adopt(ctx: Ctx, batch: readonly AlertNotice[]): Promise<void> {
  const former = await formerAlerts(ctx, [...new Set(batch.map((alert) => alert.source_fingerprint))]);
  if (former.length === 0) return;
  const notices = Map.groupBy(batch, (alert) => alert.source_fingerprint);
  const adopted = former.flatMap(({ alert_id, instance_key, fingerprint, source_fingerprint, starts_at }) => {
    const alerts = notices.get(source_fingerprint) ?? [];
    // The instance key shows which adapter an alert is from; that of a call does not, so calls are matched by fingerprint.
    const own = alerts.find(({ adapter }) =>
      formerKeys(adapter, source_fingerprint, starts_at).includes(instance_key ?? ""),
    );
    const call = alerts.find((alert) => alert.of_call && alert.fingerprint === fingerprint);
    const of = own ?? call;
    return of === undefined ? [] : [{ alert_id, identity: of.identity, of_call: own === undefined }];
  });
  if (adopted.length > 0) await adoptAlerts(ctx, adopted);
}

/** Leaves out replayed firing notices that were counted, or whose alert was over, before outages were counted. */
export async function withoutFormer(ctx: Ctx, alerts: readonly AlertNotice[]): Promise<AlertNotice[]> {
  const asked = alerts.filter((alert) => alert.replayed && alert.status === "firing");
  if (asked.length === 0) return [...alerts];
  const over = await formerlyOver(
    ctx,
    asked.map(
      ({ place, fingerprint, source_fingerprint, received_at, adapter, starts_at, of_call, ...one }) => ({
        place,
        fingerprint,
        source_fingerprint,
        received_at,
        keys: of_call ? [one.instance_key] : formerKeys(adapter, source_fingerprint, starts_at),
      }),
    ),
  );
  return alerts.filter((alert) => !over.has(alert.place));
}

/** Returns the place of the latest notice that reported the outage as firing. */
const saidWith = ({ said_with }: StoredOutage, { place, said_last = place }: AlertNotice) =>
  said_with !== null && said_with > said_last ? said_with : said_last;

const NOTHING: KnownOutages = { open: [], last: undefined };

/** Works out the effect of notices one by one: changes to stored outages in `changes`, held ones to delete in `dropped`. */
class OutageRecorder {
  readonly recorded: RecordedOutages = { notices: [], fresh: new Map() };
  readonly changes = new Map<string, OutageChange>();
  readonly dropped: string[] = [];
  readonly #ctx: Ctx;
  readonly #byId: ReadonlyMap<string, StoredOutage>;
  readonly #byCall: ReadonlyMap<string | null, StoredOutage>;
  readonly #of: ReadonlyMap<string, KnownOutages>;
  readonly #numbers: Map<string, number>;
  readonly #resolve_timeout: number;

  constructor(ctx: Ctx, known: readonly StoredOutage[], resolve_timeout: number) {
    this.#ctx = ctx;
    this.#byId = new Map(known.map((one) => [one.alert_id, one]));
    this.#byCall = new Map(known.map((one) => [one.instance_key, one]));
    const groups = [...Map.groupBy(known, (one) => one.identity)];
    this.#of = new Map(
      groups.map(([identity, all]) => [
        identity,
        {
          open: all.filter((one) => one.status !== "resolved"),
          last: all.findLast((one) => one.status === "resolved"),
        },
      ]),
    );
    this.#numbers = new Map(groups.map(([identity, all]) => [identity, all.at(-1)?.outage ?? 0]));
    this.#resolve_timeout = resolve_timeout;
  }

  record(notice: AlertNotice): void {
    if (notice.status === "resolved") this.#ends(notice);
    else if (notice.of_call) this.#calls(notice);
    else this.#fires(notice);
  }

  #known({ identity }: AlertNotice): KnownOutages {
    return this.#of.get(identity) ?? NOTHING;
  }

  #stored({ alert_id }: Outage): StoredOutage {
    const stored = this.#byId.get(alert_id);
    if (stored === undefined) throw new Error(`${alert_id} is no outage that was read`);
    return stored;
  }

  #next({ identity, folded = 0 }: AlertNotice): number {
    const number = (this.#numbers.get(identity) ?? 0) + folded + 1;
    this.#numbers.set(identity, number);
    return number;
  }

  #change(of: StoredOutage, what: Partial<OutageChange>): void {
    const { alert_id, status, senders, ended_by, ended_with, said_with } = of;
    const before: OutageChange = this.changes.get(alert_id) ?? {
      ...{
        alert_id,
        was: status,
        status,
        times: 0,
        holds_until: null,
        senders,
        ended_by,
        ended_with,
        said_with,
      },
      ends_at: null,
      severity: null,
      narrows: [],
      begins: false,
    };
    this.changes.set(alert_id, { ...before, ...what });
  }

  #tell(notice: AlertNotice, about: StoredOutage, what: Partial<OutageNotice>): void {
    const { alert_id, incident_id, silenced_by } = about;
    const same = { alert_id, incident_id, silenced_by, is_new: false, is_stored: true, fires: false };
    this.recorded.notices.push({ ...notice, ...same, ...what });
  }

  #begin(notice: AlertNotice, what: { outage: number; held_until?: Date; over?: boolean }): void {
    const { outage, held_until = null, over = false } = what;
    const alert_id = prefixedId("ALT", this.#ctx.random);
    const end = over
      ? { ended_with: notice.place, ended_by: firstReportedEnd(notice) }
      : { ended_with: null, ended_by: {} };
    this.recorded.fresh.set(alert_id, { outage, held_until, ...end });
    const held = held_until !== null;
    const known = { alert_id, incident_id: null, silenced_by: null, held, is_stored: false };
    this.recorded.notices.push({ ...notice, ...known, is_new: !over && !held, fires: !over && !held });
  }

  #again(notice: AlertNotice, of: StoredOutage, senders: readonly string[]): void {
    const narrows = difference(of.narrows, notice.narrows);
    // A replayed notice was counted before, but may be decoded more fully now.
    if (notice.replayed && narrows.length > 0) this.#change(of, { narrows });
    if (notice.replayed) return;
    const held = of.status === "held";
    const { times, severity, holds_until = null } = notice;
    this.#change(of, { times, senders, holds_until, severity, narrows, said_with: saidWith(of, notice) });
    this.#tell(notice, of, {
      status: of.status === "resolved" ? "resolved" : "firing",
      held,
      fires: of.status === "firing",
    });
  }

  #calls(notice: AlertNotice): void {
    const { last } = this.#known(notice);
    const same = this.#byCall.get(notice.instance_key);
    if (same !== undefined) this.#again(notice, same, same.senders);
    else if (last === undefined || notice.place > (last.ended_with ?? ""))
      this.#begin(notice, { outage: this.#next(notice) });
  }

  #fires(notice: AlertNotice): void {
    const known = this.#known(notice);
    const fired = applyFiring(known, notice);
    if (fired.kind === "old") this.#again(notice, this.#stored(fired.last), fired.last.senders);
    else if (fired.kind === "again") this.#again(notice, this.#stored(fired.of), fired.senders);
    else if (fired.kind === "new") this.#begin(notice, { outage: this.#next(notice) });
    else if (fired.kind === "hold") {
      const held_until = addSeconds(notice.received_at, this.#resolve_timeout);
      this.#begin(notice, { outage: this.#next(notice), held_until });
    } else {
      const held = this.#stored(fired.held);
      const { times, severity, holds_until = null } = notice;
      const said_with = saidWith(held, notice);
      const narrows = difference(held.narrows, notice.narrows);
      const what = { times, severity, narrows, holds_until, senders: fired.senders, said_with };
      this.#change(held, { ...what, status: "firing", begins: true });
      this.#tell(notice, held, { is_new: true, fires: true });
    }
  }

  #ends(notice: AlertNotice): void {
    const known = this.#known(notice);
    const { ended, held, last } = applyResolved(known, notice);
    for (const { outage, ended_by } of ended) {
      const of = this.#stored(outage);
      const what = { status: "resolved" as const, ends_at: reportedEnd(notice), ended_with: notice.place };
      this.#change(of, { ...what, ended_by, times: of.of_call ? 0 : notice.times });
      this.#tell(notice, of, {});
    }
    if (held !== undefined) {
      const of = this.#stored(held.outage);
      if (held.senders.length === 0) this.dropped.push(of.alert_id);
      else this.#change(of, { senders: held.senders });
    }
    if (last !== undefined) {
      const of = this.#stored(last.outage);
      const times = notice.replayed || known.open.some((one) => one.status === "firing") ? 0 : notice.times;
      this.#change(of, { ended_by: last.ended_by, times });
      if (ended.length === 0 && !known.open.some((one) => one.status === "firing"))
        this.#tell(notice, of, {});
    } else if (ended.length === 0 && known.open.length === 0 && !notice.of_call) {
      this.#begin(notice, { outage: 0, over: true });
    }
  }
}

/**
 * Works out the effect of a batch of notices, and stores the changes to outages that are in the database; new ones are returned
 * in `fresh`. `resolve_timeout`: seconds for which a firing notice is held whose sender did not report the last end. Throws a
 * serialisation failure when a concurrent transaction came first.
 */
export async function recordOutages(
  ctx: Ctx,
  batch: readonly AlertNotice[],
  resolve_timeout: number,
): Promise<RecordedOutages> {
  await adopt(ctx, batch);
  const one = new OutageRecorder(ctx, await knownOutages(ctx, batch), resolve_timeout);
  for (const notice of batch) one.record(notice);
  await changeOutages(ctx, [...one.changes.values()]);
  await deleteHeld(ctx, one.dropped);
  const { notices, fresh } = one.recorded;
  const same = await sameByOtherRoute(
    ctx,
    notices.filter((alert) => alert.is_new && !alert.is_stored && !alert.heartbeat),
  );
  return {
    fresh,
    notices: notices.map((alert) => ({ ...alert, same_as: same.get(alert.alert_id) ?? null })),
  };
}
