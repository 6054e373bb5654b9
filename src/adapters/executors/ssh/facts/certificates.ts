import { X509Certificate } from "node:crypto";
import type { Host } from "../connection/host.ts";
import { inLine } from "../text.ts";
import type { ReadResult } from "./units.ts";

export type Certificate = { subject: string; until: string; fingerprint: string };

const DAY_MS = 86_400_000;
const PEM = /-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]{1,65536}-----END CERTIFICATE-----/g;

/** Parses the PEM certificates in a text; skips CA certificates and what cannot be parsed. Pure. */
export function parseCertificates(text: string): Certificate[] {
  return [...text.matchAll(PEM)].flatMap(([pem]) => {
    try {
      const one = new X509Certificate(pem);
      if (one.ca) return [];
      const subject = inLine(one.subjectAltName?.replaceAll("DNS:", "") ?? one.subject, 200);
      return [{ subject, until: new Date(one.validTo).toISOString(), fingerprint: one.fingerprint256 }];
    } catch {
      return [];
    }
  });
}

/** Returns the paths listed by `certbot certificates`. Pure. */
function certbotPaths(text: string): string[] {
  const found = text.matchAll(/^\s*Certificate Path:\s*(\/[^\0\n]{1,1000}?)\s*$/gm);
  return [...new Set([...found].map(([, path = ""]) => path))];
}

/** Returns the whole days until the certificate expires; negative when it has expired. */
export const daysLeft = ({ until }: Certificate, now: Date): number =>
  Math.floor((Date.parse(until) - now.getTime()) / DAY_MS);

/** Reads the configured certificates, or those that certbot lists when none is configured. */
export async function certificates(host: Host): Promise<ReadResult<Certificate[]>> {
  let paths: readonly string[] = host.config.certificates;
  if (paths.length === 0) {
    const listed = await host.look(host.privileged(["certbot", "certificates"]));
    if (!listed.ok) return listed;
    paths = certbotPaths(listed.stdout);
  }
  if (paths.length === 0) return { ok: true, value: [] };
  const read = await host.look(host.privileged(["cat", "--", ...paths]));
  return read.ok ? { ok: true, value: parseCertificates(read.stdout) } : read;
}
