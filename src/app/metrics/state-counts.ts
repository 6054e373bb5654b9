import { Gauge, type Registry } from "prom-client";
import type { Ctx } from "../../db/ctx.ts";
import { countStates, type StateCounts } from "../../db/state-counts.ts";
import { tableSizes } from "../../db/storage.ts";
import { messageOf } from "../../lib/error.ts";
import { wait } from "../../lib/wait.ts";
import type { Intervals } from "../intervals.ts";
import type { LedgerCounters } from "./ledger.ts";

const SIZES_FRESH_MS = 60_000;

function itemGauges(registry: Registry, now: () => number): (counts: StateCounts) => void {
  let counts: StateCounts = { waiting: [], last_received: null, ledger: 0 };
  const registers = [registry];
  const labelNames = ["kind", "state"];
  new Gauge({
    name: "awoooi_items",
    help: "Items in each state that is not final, and dead letters.",
    labelNames,
    registers,
    collect() {
      for (const { kind, state, count } of counts.waiting) this.set({ kind, state }, count);
    },
  });
  new Gauge({
    name: "awoooi_oldest_item_age_seconds",
    help: "Age of the oldest item in each of these states; 0 when there is none.",
    labelNames,
    registers,
    collect() {
      for (const { kind, state, oldest } of counts.waiting)
        this.set({ kind, state }, oldest === null ? 0 : Math.max(now() - oldest, 0));
    },
  });
  new Gauge({
    name: "awoooi_last_alert_received_timestamp",
    help: "Unix time at which the newest receipt was journalled; 0 when there is none.",
    registers,
    collect() {
      this.set(counts.last_received ?? 0);
    },
  });
  new Gauge({
    name: "awoooi_audit_entries",
    help: "Entries in the audit ledger.",
    registers,
    collect() {
      this.set(counts.ledger);
    },
  });
  return (taken) => {
    counts = taken;
  };
}

function sizeGauge(registry: Registry): (ctx: Ctx) => Promise<void> {
  const gauge = new Gauge({
    name: "awoooi_database_size_bytes",
    help: "Bytes that each table takes with its indexes.",
    labelNames: ["schema", "table"],
    registers: [registry],
  });
  let read = Number.NEGATIVE_INFINITY;
  return async (ctx) => {
    if (performance.now() - read < SIZES_FRESH_MS) return;
    for (const { schema, table, bytes } of await tableSizes(ctx)) gauge.set({ schema, table }, bytes);
    read = performance.now();
  };
}

/**
 * Registers the metrics that are read from the database, and returns a function that updates them: at most
 * every `state_counts` seconds, one reading at a time, waiting at most `scrape` seconds. Without an answer
 * the last values stay, and `awoooi_database_up` is 0.
 */
export function databaseMetrics(
  registry: Registry,
  ctx: Ctx,
  ledger: LedgerCounters,
  isFrozen: () => Promise<boolean>,
  // Several scrapers must not cost the database more than one does, and a database that hangs must not
  // delay the other metrics.
  { state_counts, scrape }: Pick<Intervals, "state_counts" | "scrape">,
): () => Promise<void> {
  const items = itemGauges(registry, () => ctx.clock.now().getTime() / 1000);
  const sizes = sizeGauge(registry);
  const up = new Gauge({
    name: "awoooi_database_up",
    help: "Whether the database answered the last reading in time.",
    registers: [registry],
  });
  const frozen = new Gauge({
    name: "awoooi_frozen",
    help: "1 while all changes are stopped: by people, a window or the configuration.",
    registers: [registry],
  });
  let reading: Promise<void> | null = null;
  let read = Number.NEGATIVE_INFINITY;
  const readAll = async () => {
    try {
      items(await countStates(ctx));
      await ledger(ctx);
      frozen.set((await isFrozen()) ? 1 : 0);
      await sizes(ctx);
      up.set(1);
      read = performance.now();
    } catch (error) {
      up.set(0);
      ctx.log.debug({ error: messageOf(error) }, "the metrics cannot be read from the database");
    } finally {
      reading = null;
    }
  };
  return async () => {
    if (performance.now() - read < state_counts * 1000) return;
    reading ??= readAll();
    const patience = new AbortController();
    const late = wait(scrape * 1000, patience.signal).then(() => {
      if (!patience.signal.aborted) up.set(0);
    });
    await Promise.race([reading, late]);
    patience.abort();
  };
}
