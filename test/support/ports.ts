import { randomInt } from "node:crypto";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer, type ListenOptions, type Server } from "node:net";

const LOWEST = 10_000;
const TRIES = 1_000;

/** Below this the system gives no port to a connection of its own accord. */
function ephemeralFrom(): number {
  try {
    return Number.parseInt(readFileSync("/proc/sys/net/ipv4/ip_local_port_range", "utf8"), 10);
  } catch {
    return 49_152;
  }
}

/** A server that listens there; undefined where somebody else does. */
async function listening(options: ListenOptions): Promise<Server | undefined> {
  const server = createServer().listen(options);
  return once(server, "listening").then(
    () => server,
    () => undefined,
  );
}

/**
 * Marks a port as taken, for as long as this process lives, among all runs on this machine: by a socket with a name,
 * which Linux forgets with its process.
 */
async function reserve(port: number): Promise<boolean> {
  if (process.platform !== "linux") return true;
  const mark = await listening({ path: `\0awoooi-port-${port}` });
  mark?.unref();
  return mark !== undefined;
}

/**
 * A TCP port of the loopback interface that nobody listens on, and that nobody is given until this process ends: no
 * other test, and no connection either.
 */
export async function freePort(): Promise<number> {
  const end = Math.max(ephemeralFrom(), LOWEST + TRIES);
  for (let tries = 0; tries < TRIES; tries += 1) {
    const port = randomInt(LOWEST, end);
    if (!(await reserve(port))) continue;
    const server = await listening({ port, host: "127.0.0.1" });
    if (server === undefined) continue;
    server.close();
    await once(server, "close");
    return port;
  }
  throw new Error(`none of ${TRIES} ports was free`);
}
