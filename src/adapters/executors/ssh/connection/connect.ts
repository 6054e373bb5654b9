import { readFile } from "node:fs/promises";
import { connect as connectTcp } from "node:net";
import type { Duplex } from "node:stream";
import type { Client, ConnectConfig, ServerHostKeyAlgorithm } from "ssh2";
import { messageOf } from "../../../../lib/error.ts";
import type { HostConfig } from "../config.ts";
import { inLine } from "../text.ts";
import { readIdentity } from "./identity.ts";
import {
  checkHostKey,
  type KnownHosts,
  knownTypes,
  nameOf,
  parseKnownHosts,
  type Verdict,
} from "./known-hosts.ts";
import { library } from "./library.ts";

export type ConnectTerms = {
  known_hosts: readonly string[];
  /** Seconds for each step to one hop: the TCP connection (or forward), then the handshake and login. */
  connect_timeout: number;
  /** Seconds between two keepalives. */
  keepalive: number;
};

/** An open connection. `over` resolves when it ends, for any reason. */
export type Connection = {
  client: Client;
  fingerprint: string;
  /** False once the connection is known to have ended. */
  alive: () => boolean;
  over: Promise<void>;
  close: () => void;
};

export type Connected = { ok: true; connection: Connection } | { ok: false; error: string };

const HOST_KEYS: Record<string, ServerHostKeyAlgorithm[]> = {
  "ssh-ed25519": ["ssh-ed25519"],
  "ecdsa-sha2-nistp256": ["ecdsa-sha2-nistp256"],
  "ecdsa-sha2-nistp384": ["ecdsa-sha2-nistp384"],
  "ecdsa-sha2-nistp521": ["ecdsa-sha2-nistp521"],
  // Only SHA-2 signatures; SHA-1 is not offered.
  "ssh-rsa": ["rsa-sha2-512", "rsa-sha2-256"],
};

/** Orders the algorithms of known keys first: else a host with several keys may present one not in known_hosts. */
function hostKeyAlgorithms(types: readonly string[]): ServerHostKeyAlgorithm[] {
  return [...new Set([...types, ...Object.keys(HOST_KEYS)])].flatMap((type) => HOST_KEYS[type] ?? []);
}

const ALGORITHMS = {
  kex: [
    "curve25519-sha256",
    "curve25519-sha256@libssh.org",
    "ecdh-sha2-nistp256",
    "ecdh-sha2-nistp384",
    "ecdh-sha2-nistp521",
    "diffie-hellman-group-exchange-sha256",
    "diffie-hellman-group16-sha512",
    "diffie-hellman-group14-sha256",
  ],
  // No chacha20-poly1305: ssh2 shares its state among all connections, and a connection inside another breaks.
  cipher: ["aes128-gcm@openssh.com", "aes256-gcm@openssh.com", "aes128-ctr", "aes192-ctr", "aes256-ctr"],
  hmac: ["hmac-sha2-256-etm@openssh.com", "hmac-sha2-512-etm@openssh.com", "hmac-sha2-256", "hmac-sha2-512"],
  compress: ["none"],
} satisfies ConnectConfig["algorithms"];

/** Reads the known_hosts files; a file that cannot be read is reported in `problems`. */
async function readKnownHosts(files: readonly string[]): Promise<KnownHosts> {
  const read = files.map(async (file) => {
    try {
      return parseKnownHosts(await readFile(file, "utf8"), file);
    } catch (error) {
      return { keys: [], problems: [messageOf(error)] };
    }
  });
  const all = await Promise.all(read);
  return { keys: all.flatMap((one) => one.keys), problems: all.flatMap((one) => one.problems) };
}

function inWords(error: Error & { level?: string; code?: string }, host: HostConfig): string {
  const where = `${host.user}@${host.address}:${host.port}`;
  const methods = [
    host.identity_file !== undefined && "the key",
    host.agent !== undefined && "the agent",
    (host.password ?? host.password_file) !== undefined && "the password",
  ].filter(Boolean);
  if (error.level === "client-authentication")
    return `${where} refuses the login with ${methods.join(" or ")}: permission denied`;
  if (error.code === "ECONNREFUSED") return `${where}: connection refused`;
  if (error.code === "ENOTFOUND") return `${host.address} was not found (ENOTFOUND)`;
  return `${where}: ${inLine(messageOf(error))}`;
}

/** Opens a stream from the jump host to the next hop. On timeout, closes the connection to the jump host. */
async function forward({ client }: Connection, to: HostConfig, seconds: number): Promise<Duplex> {
  let late: NodeJS.Timeout | undefined;
  const opened = new Promise<Duplex>((resolve, reject) => {
    late = setTimeout(() => {
      reject(new Error(`timed out after ${seconds} s`));
      client.destroy();
    }, seconds * 1000);
    client.forwardOut("127.0.0.1", 0, to.address, to.port, (error, stream) =>
      error === undefined ? resolve(stream) : reject(error),
    );
  });
  return opened.finally(() => clearTimeout(late));
}

type Hop = { host: HostConfig; sock: Duplex; terms: ConnectTerms; known: KnownHosts };

/** Performs the SSH handshake and login over `sock`, and closes `sock` on failure. */
async function login({ host, sock, terms, known }: Hop): Promise<Connected> {
  const read = await readIdentity(host);
  if (!read.ok) {
    sock.destroy();
    return { ok: false, error: read.message };
  }
  const name = nameOf(host.address, host.port);
  const client = new (library().Client)();
  let verdict: Verdict | undefined;
  let alive = true;
  const over = new Promise<void>((resolve) => {
    const ended = () => {
      alive = false;
      sock.destroy();
      resolve();
    };
    // A connection tunnelled through another emits `end` without `close`.
    client.on("end", ended).on("close", ended);
  });
  return new Promise((resolve) => {
    client.on("error", (error) => {
      alive = false;
      client.destroy();
      sock.destroy();
      const refused = verdict?.ok === false ? verdict.message : inWords(error, host);
      resolve({ ok: false, error: refused });
    });
    const reset = () => resolve({ ok: false, error: `${name}: connection reset while logging in` });
    over.then(reset, reset);
    client.on("ready", () => {
      const fingerprint = verdict?.ok ? verdict.fingerprint : "";
      const close = () => {
        alive = false;
        client.end();
      };
      resolve({ ok: true, connection: { client, fingerprint, alive: () => alive, over, close } });
    });
    client.connect({
      sock,
      username: host.user,
      authHandler: read.methods,
      readyTimeout: terms.connect_timeout * 1000,
      keepaliveInterval: terms.keepalive * 1000,
      keepaliveCountMax: 3,
      algorithms: { ...ALGORITHMS, serverHostKey: hostKeyAlgorithms(knownTypes(known, name)) },
      hostVerifier: (blob: Buffer) => {
        verdict = checkHostKey(known, name, blob, terms.known_hosts);
        return verdict.ok;
      },
    });
  });
}

async function dial({ address, port }: HostConfig, seconds: number): Promise<Duplex> {
  const sock = connectTcp({ host: address, port, noDelay: true });
  return new Promise((resolve, reject) => {
    const late = setTimeout(() => {
      sock.destroy(new Error(`timed out after ${seconds} s`));
    }, seconds * 1000);
    sock.once("error", reject);
    sock.once("connect", () => {
      clearTimeout(late);
      sock.off("error", reject);
      resolve(sock);
    });
    sock.once("close", () => clearTimeout(late));
  });
}

/**
 * Connects to the last host of `route` through the ones before it. Each host key must be in the known_hosts files;
 * a host with another key is refused before any credential is sent to it.
 */
export async function connectRoute(route: readonly HostConfig[], terms: ConnectTerms): Promise<Connected> {
  const known = await readKnownHosts(terms.known_hosts);
  const passed: Connection[] = [];
  const leave = () => {
    for (const one of passed.toReversed()) one.close();
  };
  for (const host of route) {
    const before = passed.at(-1);
    let result: Connected;
    try {
      const { connect_timeout: seconds } = terms;
      const sock = before === undefined ? await dial(host, seconds) : await forward(before, host, seconds);
      result = await login({ host, sock, terms, known });
    } catch (error) {
      result = { ok: false, error: inWords(error as Error, host) };
    }
    if (!result.ok) {
      leave();
      const via = before === undefined ? "" : ` (through ${route[passed.length - 1]?.name})`;
      return { ok: false, error: `${result.error}${via}` };
    }
    const { connection } = result;
    // When one hop ends, close every hop of the route.
    connection.over.then(leave, leave);
    passed.push(connection);
  }
  const last = passed.at(-1);
  if (last === undefined) return { ok: false, error: "there is no route to the host" };
  return { ok: true, connection: { ...last, close: leave } };
}
