import type { FetchLike } from "@modelcontextprotocol/sdk/shared/transport.js";

/** Creates a stream that fails once more than `limit` bytes have passed. */
function bounded(limit: number): TransformStream<Uint8Array, Uint8Array> {
  let seen = 0;
  return new TransformStream({
    transform(chunk, controller) {
      seen += chunk.byteLength;
      if (seen > limit) controller.error(new Error(`the server answered with more than ${limit} bytes`));
      else controller.enqueue(chunk);
    },
  });
}

/**
 * Creates a `fetch` for an untrusted server, with bounded answers. GET, which would open a stream of unsolicited messages,
 * is answered with 405 locally. No redirect is followed: secret headers would be sent along.
 */
export function boundedFetch(limit: number): FetchLike {
  return async (url, init) => {
    if ((init?.method ?? "GET") === "GET") return new Response(null, { status: 405 });
    const { body, status, statusText, headers } = await fetch(url, { ...init, redirect: "error" });
    const empty = body === null || status === 204 || status === 304;
    return new Response(empty ? null : body.pipeThrough(bounded(limit)), { status, statusText, headers });
  };
}
