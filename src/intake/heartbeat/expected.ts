import type { ExpectedHeartbeat, ExpectedSettings } from "./types.ts";

/**
 * Builds an expected heartbeat from its settings. Without matchers any heartbeat (a Watchdog) of its source counts; with matchers
 * any alert that they fit.
 */
export function expectedHeartbeat({ matches, ...one }: ExpectedSettings): ExpectedHeartbeat {
  return {
    ...one,
    fits: ({ source, labels, heartbeat }) =>
      (one.source === null || one.source === source) && (matches === null ? heartbeat : matches(labels)),
  };
}
