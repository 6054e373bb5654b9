import { describedText } from "./openapi.ts";

/** A genuine Alertmanager-v4 body around these alerts. */
export function alertmanagerBody(
  alerts: {
    labels: Record<string, string>;
    status?: "firing" | "resolved";
    startsAt?: string;
    summary?: string;
  }[],
): object {
  const shaped = alerts.map(
    ({ labels, status = "firing", startsAt = new Date().toISOString(), summary }) => ({
      status,
      labels,
      annotations: { summary: summary ?? `${labels.alertname} of ${labels.service ?? "something"}` },
      startsAt,
      endsAt: status === "resolved" ? new Date().toISOString() : "0001-01-01T00:00:00Z",
      generatorURL: "http://prometheus.example/graph",
    }),
  );
  return {
    receiver: "awoooi",
    status: shaped.some((alert) => alert.status === "firing") ? "firing" : "resolved",
    alerts: shaped,
    groupLabels: {},
    commonLabels: {},
    commonAnnotations: {},
    externalURL: "http://alertmanager.example",
    version: "4",
    groupKey: "{}:{}",
    truncatedAlerts: 0,
  };
}

/** Posts a body to the webhook. */
export async function post(
  url: string,
  body: unknown,
): Promise<{ status: number; body: Record<string, unknown> }> {
  const response = await fetch(`${url}/api/v1/webhooks/alertmanager`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  const text = await describedText("POST", response);
  return { status: response.status, body: JSON.parse(text) as Record<string, unknown> };
}
