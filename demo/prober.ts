import { setTimeout as delay } from "node:timers/promises";

/** What a prober needs two of before it believes them. */
const IN_A_ROW = 2;
const INTERVAL_MS = 400;
const TIMEOUT_MS = 400;

async function answers(url: string): Promise<boolean> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(TIMEOUT_MS) });
    await response.body?.cancel();
    return response.ok;
  } catch {
    return false;
  }
}

/** The body that Alertmanager sends to a webhook, version 4. */
function body(service: string, startsAt: string, endsAt: string | null): object {
  const labels = { alertname: "ServiceUnreachable", service, severity: "critical", job: "blackbox" };
  const annotations = { summary: `${service} has stopped answering` };
  const status = endsAt === null ? "firing" : "resolved";
  return {
    receiver: "awoooi",
    status,
    alerts: [
      {
        status,
        labels,
        annotations,
        startsAt,
        endsAt: endsAt ?? "0001-01-01T00:00:00Z",
        generatorURL: "http://127.0.0.1/demo-prober",
        fingerprint: "d3a0b5e7c1f2a941",
      },
    ],
    groupLabels: { alertname: labels.alertname },
    commonLabels: labels,
    commonAnnotations: annotations,
    externalURL: "http://127.0.0.1/demo-prober",
    version: "4",
    groupKey: `{}:{alertname="${labels.alertname}"}`,
    truncatedAlerts: 0,
  };
}

/**
 * Asks a service for its health and sends what Alertmanager would: firing when it has stopped answering,
 * resolved when it answers again. Sends until it is acknowledged. Runs until `signal` is aborted.
 */
export async function probe(
  service: string,
  url: string,
  webhook: string,
  signal: AbortSignal,
): Promise<void> {
  let startsAt: string | null = null;
  let row = 0;
  while (!signal.aborted) {
    const healthy = await answers(url);
    const news = healthy === (startsAt !== null);
    row = news ? row + 1 : 0;
    if (row >= IN_A_ROW) {
      const now = new Date().toISOString();
      const message = startsAt === null ? body(service, now, null) : body(service, startsAt, now);
      const sent = await fetch(webhook, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(message),
      }).catch(() => undefined);
      await sent?.body?.cancel();
      if (sent?.ok) {
        startsAt = startsAt === null ? now : null;
        row = 0;
      }
    }
    await delay(INTERVAL_MS, undefined, { signal }).catch(() => {});
  }
}
