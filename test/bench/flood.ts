import { connect, type Socket } from "node:net";
import { wait } from "../../src/lib/wait.ts";

/** A call as it goes over the wire, the n-th of its kind. */
export type Call = (n: number) => Buffer;

export type Flood = {
  /** Calls that were begun, and the statuses that came back. */
  result(): { sent: number; statuses: Record<string, number> };
  stop(): Promise<void>;
};

const CONNECTIONS = 32;
const TICK_MS = 5;
const STATUS = /HTTP\/1\.1 (\d{3}) /g;

/** Sends at this rate, whatever comes back; slower only where the server does not take so much. */
export function flood(url: string, call: Call, per_second: number): Flood {
  const { hostname, port } = new URL(url);
  const statuses: Record<string, number> = {};
  const stop = new AbortController();
  const idle: Socket[] = [];
  let sent = 0;
  let open = 0;

  function opened(): Socket {
    const socket = connect(Number(port), hostname);
    open += 1;
    socket.setNoDelay(true);
    socket.on("data", (chunk: Buffer) => {
      const found = [...chunk.toString("latin1").matchAll(STATUS)];
      for (const [, status = ""] of found) statuses[status] = (statuses[status] ?? 0) + 1;
      if (found.length > 0 && !socket.destroyed) idle.push(socket);
    });
    // What is refused unread is cut off.
    socket.on("error", () => {});
    socket.on("close", () => {
      open -= 1;
    });
    return socket;
  }

  function next(): Socket | undefined {
    for (let socket = idle.pop(); socket !== undefined; socket = idle.pop())
      if (socket.writable) return socket;
    return open < CONNECTIONS ? opened() : undefined;
  }

  const running = (async () => {
    const began = performance.now();
    let due = 0;
    while (!stop.signal.aborted) {
      for (due = ((performance.now() - began) / 1000) * per_second; sent < due; sent += 1) {
        const socket = next();
        if (socket === undefined) break;
        socket.write(call(sent));
      }
      await wait(TICK_MS, stop.signal);
    }
  })();

  return {
    result: () => ({ sent, statuses: { ...statuses } }),
    async stop() {
      stop.abort();
      await running;
      for (const socket of idle) socket.destroy();
    },
  };
}
