import type { Socket } from "node:net";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { AwoooiError } from "../lib/error.ts";

/** How much of a body that is refused is still taken, and for how long, so that its sender sees the answer. */
export type Lingering = { bytes: number; milliseconds: number };

// What is left of a body of any sensible size, from a sender of any sensible speed.
const SHIPPED: Lingering = { bytes: 32 * 1024 * 1024, milliseconds: 5_000 };
// How many senders are waited for at once; more are cut off, as without any of this.
const AT_ONCE = 256;
const LOOK_MS = 20;

const isUnread = ({ raw }: FastifyRequest) => !raw.complete && !raw.destroyed;

/** Reads on, throwing away, until the sender closes or has had its bounds; then the connection is cut. */
function drain(socket: Socket, { bytes, milliseconds }: Lingering, ended: () => void): void {
  const begun = socket.bytesRead;
  const until = performance.now() + milliseconds;
  // Answered, and nothing more is: the sender reads to the end, and closes.
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
 * Where a request is answered before its body is read, closes the connection as senders need it: Node would close
 * at once, and what is still being sent then meets a reset, which takes the answer with it. So the answer is
 * written, our side closed, and a bounded rest read for a bounded time.
 */
export function lingeringClose(app: FastifyInstance, small: number, bounds: Lingering = SHIPPED): void {
  const closing = new Set<Socket>();
  app.addHook("onRequest", async ({ raw: { socket } }) => {
    if (!closing.has(socket)) return;
    // Sent behind a body that was refused, on a connection that was closed for it: nobody would be answered.
    socket.destroy();
    throw new AwoooiError("unparsable", "The connection is closing.");
  });
  app.addHook("onSend", async (request: FastifyRequest, reply: FastifyReply) => {
    if (!isUnread(request)) return;
    const { headers, socket } = request.raw;
    const length = headers["transfer-encoding"] === undefined ? Number(headers["content-length"] ?? 0) : null;
    // Node itself reads it to its end, and the connection lives on.
    if (length !== null && length <= small) return;
    reply.header("connection", "close");
    if (closing.size >= AT_ONCE) return;
    // Node calls this once the answer is handed over.
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
