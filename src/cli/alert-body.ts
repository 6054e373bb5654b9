/** The alert that `alerts send` sends. */
export type AlertInput = {
  name: string;
  labels: Record<string, string>;
  annotations: Record<string, string>;
  resolved: boolean;
  starts_at: Date;
  ends_at: Date | null;
  fingerprint: string | undefined;
};

const NO_TIME = "0001-01-01T00:00:00Z";
const FNV_OFFSET = 14695981039346656037n;
const FNV_PRIME = 1099511628211n;

/**
 * Returns the fingerprint of labels as Prometheus and Alertmanager compute it: 64-bit FNV-1a over names and
 * values in the order of the names, each followed by the byte 0xff; 16 hexadecimal digits.
 */
export function labelFingerprint(labels: Record<string, string>): string {
  const names = Object.keys(labels).sort();
  const parts = names.flatMap((name) => [name, labels[name] ?? ""]);
  const bytes = parts.flatMap((text) => [...Buffer.from(text, "utf8"), 0xff]);
  const hash = bytes.reduce((sum, byte) => BigInt.asUintN(64, (sum ^ BigInt(byte)) * FNV_PRIME), FNV_OFFSET);
  return hash.toString(16).padStart(16, "0");
}

/** Returns a webhook body, version 4, as Alertmanager sends it for a group of one alert. */
export function alertmanagerBody(input: AlertInput): object {
  const { name, annotations, resolved, starts_at, ends_at } = input;
  const labels = { ...input.labels, alertname: name };
  const status = resolved ? "resolved" : "firing";
  return {
    receiver: "awoooi",
    status,
    alerts: [
      {
        status,
        labels,
        annotations,
        startsAt: starts_at.toISOString(),
        endsAt: ends_at?.toISOString() ?? NO_TIME,
        generatorURL: "",
        fingerprint: input.fingerprint ?? labelFingerprint(labels),
      },
    ],
    groupLabels: { alertname: name },
    commonLabels: labels,
    commonAnnotations: annotations,
    externalURL: "",
    version: "4",
    groupKey: `{}:{alertname=${JSON.stringify(name)}}`,
    truncatedAlerts: 0,
  };
}
