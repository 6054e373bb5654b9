import type { FastifyRequest } from "fastify";
import type { SenderRequest } from "../intake/index.ts";

/** Returns a header as one text, however often it was sent. */
export const joinedHeader = (header: string | string[] | undefined) =>
  Array.isArray(header) ? header.join(",") : header;

/** Returns the parts of a request that identify its sender. */
export function callOf({ headers, method, socket }: FastifyRequest): SenderRequest {
  return {
    peer: socket.remoteAddress ?? "",
    authorization: headers.authorization,
    forwarded_for: joinedHeader(headers["x-forwarded-for"]),
    forwarded_otherwise: headers.forwarded !== undefined || headers["x-real-ip"] !== undefined,
    method,
    origin: joinedHeader(headers.origin),
    fetch_site: joinedHeader(headers["sec-fetch-site"]),
    content_type: headers["content-type"],
  };
}
