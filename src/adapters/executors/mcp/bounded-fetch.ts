import type { FetchLike } from "@modelcontextprotocol/sdk/shared/transport.js";

/** Fails once more than `limit` bytes have passed. */
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
 * `fetch` for a server that is not trusted with our memory. What it would tell us unasked is not listened to:
 * we only ask, and each answer comes with its question. No redirect is followed: secret headers would go along.
 */
export function boundedFetch(limit: number): FetchLike {
  return async (url, init) => {
    if ((init?.method ?? "GET") === "GET") return new Response(null, { status: 405 });
    const { body, status, statusText, headers } = await fetch(url, { ...init, redirect: "error" });
    const empty = body === null || status === 204 || status === 304;
    return new Response(empty ? null : body.pipeThrough(bounded(limit)), { status, statusText, headers });
  };
}
