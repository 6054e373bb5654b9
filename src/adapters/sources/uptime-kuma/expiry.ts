import type { SourceAlert } from "../../../intake/index.ts";
import { hashOfTexts } from "../../../lib/canonical-json.ts";

type Notice = Pick<
  SourceAlert,
  "labels" | "annotations" | "source_fingerprint" | "target_resource" | "alert_type"
>;

// `[shop][https://shop.example] server certificate shop.example will expire in 7 days`; older versions: `will be expired`.
const CERTIFICATE =
  /^\[(.{1,300}?)\]\[(.{0,300}?)\] (.{1,300}?) certificate (.{1,300}?) will (?:be expired|expire) in (-?\d{1,6}) days$/s;
const DOMAIN =
  /^(?:\[.{1,300}?\] ?)?Domain name (.{1,300}?) will (?:be expired|expire) in (-?\d{1,6}) days$/is;

// Two weeks or more away: for information; below that it should be renewed; urgent in the last three days.
const severityIn = (days: number) => (days >= 14 ? "low" : days > 3 ? "warning" : "high");

function notice(alertname: string, subject: string, days: string, more: Record<string, string>): Notice {
  const labels = { alertname, severity: severityIn(Number(days)), days_remaining: days, ...more };
  return {
    labels,
    annotations: {},
    // The days are part of the fingerprint: the notice a week before the end must not be a duplicate of an earlier one.
    source_fingerprint: hashOfTexts([alertname, subject, days]).slice(0, 16),
    target_resource: subject,
  };
}

/** Returns the alert for a notice that a certificate or domain will expire; undefined for any other message. */
export function expiryNotice(msg: string): Notice | undefined {
  // Uptime Kuma's notices are short; skip the patterns for anything longer.
  if (msg.length > 2_000) return undefined;
  const annotations = { summary: msg };
  const [, monitor = "", address = "", kind = "", certificate = "", days] = CERTIFICATE.exec(msg) ?? [];
  if (days !== undefined) {
    const more = { monitor, address, certificate, certificate_kind: kind };
    return {
      ...notice("TLSCertExpiringSoon", monitor, days, more),
      annotations,
      alert_type: "ssl_expiry",
    };
  }
  const [, domain = "", left] = DOMAIN.exec(msg) ?? [];
  return left === undefined ? undefined : { ...notice("DomainExpiringSoon", domain, left, {}), annotations };
}
