import { createHash, createHmac, timingSafeEqual } from "node:crypto";

/** One key of a `known_hosts` file. */
type KnownKey = {
  /** Its place, as `FILE:LINE`. */
  at: string;
  revoked: boolean;
  type: string;
  /** The public key in wire format. */
  blob: Buffer;
  /** Whether the line applies to a host, given as `host` or `[host]:port`. */
  fits: (host: string) => boolean;
};

export type KnownHosts = { keys: KnownKey[]; problems: string[] };

export type Verdict = { ok: true; fingerprint: string } | { ok: false; message: string };

/** Returns the fingerprint as OpenSSH shows it: `SHA256:…`. */
export function fingerprintOf(blob: Buffer): string {
  return `SHA256:${createHash("sha256").update(blob).digest("base64").replace(/=+$/, "")}`;
}

/** Returns the type of a public key in wire format. */
function typeOf(blob: Buffer): string {
  const length = blob.length < 4 ? 0 : blob.readUInt32BE();
  return blob
    .subarray(4, 4 + Math.min(length, 64))
    .toString("latin1")
    .replace(/[^\w@.-]/g, "?");
}

/** Returns the name under which OpenSSH looks a host up: with the port only when it is not 22. */
export function nameOf(address: string, port: number): string {
  const host = address.toLowerCase();
  return port === 22 ? host : `[${host}]:${port}`;
}

function matcher(hosts: string): (host: string) => boolean {
  const [, salt = "", hash = ""] = /^\|1\|([A-Za-z0-9+/=]+)\|([A-Za-z0-9+/=]+)$/.exec(hosts) ?? [];
  if (salt !== "") {
    const wanted = Buffer.from(hash, "base64");
    return (host) => {
      const made = createHmac("sha1", Buffer.from(salt, "base64")).update(host).digest();
      return made.length === wanted.length && timingSafeEqual(made, wanted);
    };
  }
  const patterns = hosts.split(",").map((one) => {
    const not = one.startsWith("!");
    return { not, parts: one.slice(not ? 1 : 0).toLowerCase() };
  });
  return (host) => {
    const hit = patterns.filter(({ parts }) => fitsPattern(host, parts));
    return hit.length > 0 && hit.every(({ not }) => !not);
  };
}

/** Matches `*` and `?` as OpenSSH does, in time bounded by the product of both lengths. */
function fitsPattern(text: string, pattern: string): boolean {
  let reached = new Set([0]);
  for (const char of pattern) {
    const next = new Set<number>();
    for (const at of reached) {
      if (char === "*") for (let to = at; to <= text.length; to += 1) next.add(to);
      else if (at < text.length && (char === "?" || text[at] === char)) next.add(at + 1);
    }
    reached = next;
  }
  return reached.has(text.length);
}

/** Parses a file in OpenSSH's format. Lines that are not usable are reported in `problems` and yield no key. */
export function parseKnownHosts(content: string, file: string): KnownHosts {
  const keys: KnownKey[] = [];
  const problems: string[] = [];
  for (const [index, raw] of content.split("\n").entries()) {
    const line = raw.trim();
    const at = `${file}:${index + 1}`;
    if (line === "" || line.startsWith("#")) continue;
    const words = line.split(/\s+/);
    const marker = words[0]?.startsWith("@") ? words.shift() : undefined;
    const [hosts = "", type = "", encoded = ""] = words;
    const blob = Buffer.from(encoded, "base64");
    if (marker === "@cert-authority") problems.push(`${at}: @cert-authority is not supported`);
    else if (marker !== undefined && marker !== "@revoked") problems.push(`${at}: ${marker} is not known`);
    else if (blob.length < 8 || typeOf(blob) !== type) problems.push(`${at}: is not a line of known_hosts`);
    else keys.push({ at, revoked: marker === "@revoked", type, blob, fits: matcher(hosts) });
  }
  return { keys, problems };
}

/** Returns the types of the keys known for a host: these are requested first. */
export function knownTypes({ keys }: KnownHosts, name: string): string[] {
  return [...new Set(keys.filter((one) => !one.revoked && one.fits(name)).map((one) => one.type))];
}

/** Decides whether a presented key is known for the host. Pure: an unknown key is never trusted on first use. */
export function checkHostKey(
  known: KnownHosts,
  name: string,
  blob: Buffer,
  files: readonly string[],
): Verdict {
  const fingerprint = fingerprintOf(blob);
  const type = typeOf(blob);
  const mine = known.keys.filter((one) => one.fits(name));
  const same = mine.filter((one) => one.blob.equals(blob));
  const revoked = same.find((one) => one.revoked);
  if (revoked !== undefined)
    return {
      ok: false,
      message: `the host key of ${name} is revoked (${revoked.at}): ${type} ${fingerprint}`,
    };
  if (same.length > 0) return { ok: true, fingerprint };
  const others = mine.filter((one) => !one.revoked);
  if (others.length > 0) {
    const was = others.map((one) => `${one.type} ${fingerprintOf(one.blob)} (${one.at})`).join(", ");
    const message =
      `THE HOST KEY OF ${name} HAS CHANGED: it is ${type} ${fingerprint}, the known key is ${was}. ` +
      "The connection may be intercepted, or the host was reinstalled; nothing was sent to it";
    return { ok: false, message };
  }
  const unread = known.problems.length === 0 ? "" : ` (${known.problems.slice(0, 3).join("; ")})`;
  const message =
    `the host key of ${name} is not known${unread}: ${type} ${fingerprint}. If \`ssh-keygen -lf\` on the host says the ` +
    `same, add this line to ${files[0] ?? "a file of ssh.known_hosts"}: ${name} ${type} ${blob.toString("base64")}`;
  return { ok: false, message };
}
