import { Counter, Gauge, type Registry } from "prom-client";
import type { Ctx } from "../../db/ctx.ts";
import type { SignalStream, StreamFigures } from "../../intake/index.ts";

/** Registers the metrics of the signal stream, with the figures of its last check; without a stream they have no series. */
export function streamMetrics(registry: Registry, ctx: Ctx, stream: SignalStream | null): void {
  const more = { labelNames: ["stream"], registers: [registry] };
  const gauge = (
    name: string,
    help: string,
    value: (figures: StreamFigures, stream: SignalStream) => number,
  ) =>
    new Gauge({
      name,
      help,
      ...more,
      collect() {
        if (stream !== null) this.set({ stream: stream.id }, value(stream.figures(), stream));
      },
    });
  gauge(
    "awoooi_signal_stream_up",
    "Whether signals go onto the stream: 0 while only the journal stores them.",
    (_, now) => Number(now.state().up),
  );
  gauge(
    "awoooi_signal_stream_entries",
    "Entries of the signal stream that are not in the journal yet.",
    ({ entries }) => entries,
  );
  gauge(
    "awoooi_signal_stream_pending",
    "Of these, entries that a consumer has and did not acknowledge.",
    ({ pending }) => pending,
  );
  gauge(
    "awoooi_signal_stream_oldest_age_seconds",
    "Age of the stream's oldest entry; 0 when there is none.",
    ({ oldest }) => (oldest === null ? 0 : Math.max(ctx.clock.now().getTime() / 1000 - oldest, 0)),
  );
  let told = 0;
  new Counter({
    name: "awoooi_signals_claimed_total",
    help: "Entries taken over from a consumer that had them for too long.",
    ...more,
    collect() {
      if (stream === null) return;
      const { claimed } = stream.figures();
      this.inc({ stream: stream.id }, claimed - told);
      told = claimed;
    },
  });
}
