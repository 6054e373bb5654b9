import type { SourceAlert } from "../../../intake/index.ts";
import { hashOfTexts } from "../../../lib/canonical-json.ts";

type Notice = Pick<
  SourceAlert,
  "labels" | "annotations" | "source_fingerprint" | "target_resource" | "alert_type"
>;

// `[shop][https://shop.example] server certificate shop.example will expire in 7 days`; older: `will be expired`.
const CERTIFICATE =
  /^\[(.{1,300}?)\]\[(.{0,300}?)\] (.{1,300}?) certificate (.{1,300}?) will (?:be expired|expire) in (-?\d{1,6}) days$/s;
const DOMAIN =
  /^(?:\[.{1,300}?\] ?)?Domain name (.{1,300}?) will (?:be expired|expire) in (-?\d{1,6}) days$/is;

// Far off it is worth knowing; the days of a fortnight are for renewing.
const severityIn = (days: number) => (days >= 14 ? "low" : days > 3 ? "warning" : "high");

function notice(alertname: string, subject: string, days: string, more: Record<string, string>): Notice {
  const labels = { alertname, severity: severityIn(Number(days)), days_remaining: days, ...more };
  return {
    labels,
    annotations: {},
    // Each notice is one of its own: a week before the end says more than three weeks before it did.
    source_fingerprint: hashOfTexts([alertname, subject, days]).slice(0, 16),
    target_resource: subject,
  };
}

/** The alert in a notice of a certificate or a domain that is about to expire; undefined where it is none. */
export function expiryNotice(msg: string): Notice | undefined {
  // What Uptime Kuma writes is short: nothing longer is worth looking through.
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
