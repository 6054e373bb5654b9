import type { ExpectedHeartbeat, ExpectedSettings } from "./types.ts";

/**
 * An expected heartbeat from what the configuration says of it. Without matchers it is any heartbeat (a
 * Watchdog) of its source; with matchers any alert that they fit.
 */
export function expectedHeartbeat({ matches, ...one }: ExpectedSettings): ExpectedHeartbeat {
  return {
    ...one,
    fits: ({ source, labels, heartbeat }) =>
      (one.source === null || one.source === source) && (matches === null ? heartbeat : matches(labels)),
  };
}
