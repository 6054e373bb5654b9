import { createHash, timingSafeEqual } from "node:crypto";
import { BlockList, isIP } from "node:net";
import { AwoooiError } from "../../lib/error.ts";
import { type BrowserRequest, refusedForPage, refusedWithBasic } from "../check-page.ts";

/** Which senders are admitted. Networks are CIDR ranges or single addresses. */
export type SenderPolicy = {
  trusted_networks: readonly string[];
  proxies: readonly string[];
  bearer_tokens: readonly string[];
  basic: readonly { username: string; password: string }[];
};

/** The parts of a call that identify its sender: `peer` is the address of the socket itself. */
export type SenderRequest = BrowserRequest & {
  peer: string;
  authorization: string | undefined;
  /** `X-Forwarded-For`, every occurrence joined by commas. */
  forwarded_for: string | undefined;
  /** Whether another header of a proxy is present: `Forwarded`, `X-Real-IP`. */
  forwarded_otherwise: boolean;
};

type Family = "ipv4" | "ipv6";
// Link-local addresses carry the name of their interface (`%eth0`).
const ZONED = /^(fe80:[0-9a-f:]+)%[\w.-]+$/i;
const MAPPED = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i;

function plainAddress(address: string): { address: string; family: Family } | undefined {
  const bare = MAPPED.exec(address)?.[1] ?? ZONED.exec(address)?.[1] ?? address;
  const version = bare.includes("%") ? 0 : isIP(bare);
  return version === 0 ? undefined : { address: bare, family: version === 4 ? "ipv4" : "ipv6" };
}

function blockList(networks: readonly string[]): BlockList {
  const list = new BlockList();
  for (const network of networks) {
    const [text = "", prefix] = network.split("/");
    const plain = plainAddress(text);
    const widest = plain?.family === "ipv4" ? 32 : 128;
    // An empty or half prefix must not become 0, which is everyone.
    const sound = prefix === undefined || (/^\d{1,3}$/.test(prefix) && Number(prefix) <= widest);
    if (plain === undefined || !sound || network.split("/").length > 2) {
      throw new AwoooiError("invalid", `${network} is not an address or CIDR range.`);
    }
    if (prefix === undefined) list.addAddress(plain.address, plain.family);
    else list.addSubnet(plain.address, Number(prefix), plain.family);
  }
  return list;
}

/** Returns whether two secrets are equal, in a time that depends on neither of them. */
export function sameSecret(given: string, expected: string): boolean {
  // Hashed first, so that the comparison takes the same time whatever the lengths.
  const digest = (text: string) => createHash("sha256").update(text).digest();
  return timingSafeEqual(digest(given), digest(expected));
}

/** The parts of a call that give its network address. */
type Route = Pick<SenderRequest, "peer" | "forwarded_for" | "forwarded_otherwise">;

/** Returns the client's address: the peer's, or the one configured proxies report; undefined for another proxy's call. */
function clientAddress(call: Route, isProxy: (address: string) => boolean): string | undefined {
  if (call.forwarded_for === undefined) return call.forwarded_otherwise ? undefined : call.peer;
  if (!isProxy(call.peer)) return undefined;
  const hops = call.forwarded_for.split(",").map((hop) => hop.replace(/^[ \t]+|[ \t]+$/g, ""));
  return hops.reverse().find((hop) => !isProxy(hop));
}

/**
 * Returns a check whether a call comes from one of these networks: by its socket, or behind configured proxies by what these
 * report. It returns undefined for a call that was passed on by any other proxy.
 */
function networkCheck(
  networks: readonly string[],
  proxies: readonly string[],
): (call: Route) => string | undefined {
  const trusted = blockList(networks);
  const behind = blockList(proxies);
  const isIn = (list: BlockList) => (address: string) => {
    const plain = plainAddress(address);
    return plain !== undefined && list.check(plain.address, plain.family);
  };
  return (call) => {
    const client = clientAddress(call, isIn(behind));
    return client !== undefined && isIn(trusted)(client) ? client : undefined;
  };
}

/**
 * Returns the address by which a sender is rate-limited, admitted or not: the client's address; for IPv6 its /64, which one
 * machine has for itself. Behind a proxy that reports no valid address it is the proxy's.
 */
export function senderAddress(proxies: readonly string[]): (call: Route) => string {
  const behind = blockList(proxies);
  const isProxy = (address: string) => {
    const plain = plainAddress(address);
    return plain !== undefined && behind.check(plain.address, plain.family);
  };
  return (call) => {
    const hop = isProxy(call.peer) ? clientAddress(call, isProxy) : call.peer;
    const plain = plainAddress(hop ?? call.peer) ?? plainAddress(call.peer);
    if (plain === undefined) return "unknown";
    return plain.family === "ipv4" ? plain.address : network64(plain.address);
  };
}

/** Returns the /64 of an IPv6 address: `fd00::1` is in `fd00:0:0:0::/64`. */
function network64(address: string): string {
  const [head = "", tail = ""] = address.toLowerCase().split("::");
  const groups = head === "" ? [] : head.split(":");
  const after = tail === "" ? [] : tail.split(":");
  const missing = address.includes("::") ? Math.max(0, 8 - groups.length - after.length) : 0;
  const all = [...groups, ...Array.from({ length: missing }, () => "0"), ...after];
  return `${all
    .slice(0, 4)
    .map((one) => Number.parseInt(one, 16).toString(16))
    .join(":")}::/64`;
}

/** Returns a check for calls by programs, not web pages, in these networks: admitted without credentials. */
export function programFrom(
  networks: readonly string[],
  proxies: readonly string[],
): (call: SenderRequest) => boolean {
  const fromInside = networkCheck(networks, proxies);
  return (call) => fromInside(call) !== undefined && refusedForPage(call) === null;
}

/**
 * Returns a check that returns how a call was admitted, or throws: `unauthenticated` for wrong credentials, `untrusted_sender`
 * for a call from outside without any, `from_web_page` and `unsupported_media_type` for one from inside that a web page may have
 * sent.
 */
export function senderCheck(policy: SenderPolicy): (call: SenderRequest) => string {
  const fromInside = networkCheck(policy.trusted_networks, policy.proxies);

  function byCredentials(authorization: string): string | undefined {
    const [scheme = "", given = ""] = authorization.split(/ +(.*)/s);
    if (scheme.toLowerCase() === "bearer") {
      return policy.bearer_tokens.some((token) => sameSecret(given, token)) ? "bearer token" : undefined;
    }
    if (scheme.toLowerCase() !== "basic") return undefined;
    const pair = Buffer.from(given, "base64").toString("utf8");
    const match = policy.basic.find((one) => sameSecret(pair, `${one.username}:${one.password}`));
    return match === undefined ? undefined : `basic:${match.username}`;
  }

  return (call) => {
    const admitted = call.authorization === undefined ? undefined : byCredentials(call.authorization);
    const refused = (why: AwoooiError | null) => {
      if (why !== null) throw why;
    };
    if (admitted !== undefined) {
      if (admitted.startsWith("basic:")) refused(refusedWithBasic(call));
      return admitted;
    }
    const client = fromInside(call);
    if (client !== undefined) {
      refused(refusedForPage(call));
      return client;
    }
    if (call.authorization !== undefined) {
      throw new AwoooiError("unauthenticated", "The credentials in the Authorization header are wrong.");
    }
    throw new AwoooiError(
      "untrusted_sender",
      "This address is not in intake.trusted_networks: send `Authorization: Bearer TOKEN` (intake.bearer_tokens) or basic credentials (intake.basic).",
    );
  };
}
