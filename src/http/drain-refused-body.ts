import type { Socket } from "node:net";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { AwoooiError } from "../lib/error.ts";

/** How much of a refused body is still read, and for how long, so that its sender can read the answer. */
export type DrainBounds = { bytes: number; milliseconds: number };

// Enough for the rest of a body of any reasonable size, from a sender of any reasonable speed.
const SHIPPED: DrainBounds = { bytes: 32 * 1024 * 1024, milliseconds: 5_000 };
// Most connections that linger at once; further ones are closed at once by Node.
const AT_ONCE = 256;
const LOOK_MS = 20;

const isUnread = ({ raw }: FastifyRequest) => !raw.complete && !raw.destroyed;

/** Reads and discards until the sender closes or exceeds a bound; then the connection is destroyed. */
function drain(socket: Socket, { bytes, milliseconds }: DrainBounds, ended: () => void): void {
  const begun = socket.bytesRead;
  const until = performance.now() + milliseconds;
  // Close our side after the answer: the sender reads to the end, and closes.
  socket.end();
  socket.resume();
  const look = setInterval(() => {
    if (socket.bytesRead - begun > bytes || performance.now() > until) socket.destroy();
  }, LOOK_MS);
  socket.once("close", () => {
    clearInterval(look);
    ended();
  });
}

/**
 * Closes a connection slowly where a request is answered before its body is read. Node would close at once: what is still being
 * sent is then met by a TCP reset, which discards the answer. So the answer is written, our side closed, and a bounded rest read
 * for a bounded time.
 */
export function drainRefusedBodies(app: FastifyInstance, small: number, bounds: DrainBounds = SHIPPED): void {
  const closing = new Set<Socket>();
  app.addHook("onRequest", async ({ raw: { socket } }) => {
    if (!closing.has(socket)) return;
    // A further request behind a refused body, on a connection that is closing: it could not be answered.
    socket.destroy();
    throw new AwoooiError("unparsable", "The connection is closing.");
  });
  app.addHook("onSend", async (request: FastifyRequest, reply: FastifyReply) => {
    if (!isUnread(request)) return;
    const { headers, socket } = request.raw;
    const length = headers["transfer-encoding"] === undefined ? Number(headers["content-length"] ?? 0) : null;
    // Node itself reads a small body to its end, and the connection stays open.
    if (length !== null && length <= small) return;
    reply.header("connection", "close");
    if (closing.size >= AT_ONCE) return;
    // Node calls `destroySoon` once the answer has been written to the socket.
    socket.destroySoon = () => {
      if (closing.has(socket) || socket.destroyed) return;
      closing.add(socket);
      request.raw.resume();
      drain(socket, bounds, () => closing.delete(socket));
    };
  });
  app.addHook("preClose", async () => {
    for (const socket of closing) socket.destroy();
  });
}
