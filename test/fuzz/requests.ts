import { type Body, drawBody } from "./bodies.ts";
import type { Shown } from "./memory.ts";
import type { Draw } from "./random.ts";
import type { Route } from "./server.ts";
import { hostileText, type Schema, spoilt, valid } from "./values.ts";

export type Drawn = {
  /** The route that it is meant for. */
  route: string;
  method: string;
  path: string;
  headers: Record<string, string>;
  body: Buffer | undefined;
};

const METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE", "PROPFIND", "QUERY"];
// Already encoded, and not always well.
const SEGMENTS = [
  "%00",
  "..%2f..%2fetc%2fpasswd",
  "%E0%A4%A",
  "%ff",
  "a".repeat(300),
  ".",
  "*",
  "%F0%9F%9A%A8",
  "-",
  "0",
];

function segment(draw: Draw, id: string): string {
  if (!draw.once(4)) return id;
  return draw.once(2)
    ? draw.of(SEGMENTS)
    : encodeURIComponent(hostileText(draw).toWellFormed().slice(0, 2_000));
}

function query(draw: Draw, schema: Schema | undefined, shown: Shown): string {
  if (schema === undefined) return draw.once(10) ? "?a=1&a=2&__proto__[x]=1&%00" : "";
  const right = valid(draw, schema, shown.about(shown.id())) as Record<string, unknown>;
  const value = draw.once(2) ? right : spoilt(draw, right);
  if (value === null || typeof value !== "object")
    return `?${encodeURIComponent(String(value).toWellFormed())}`;
  const pairs = Object.entries(value).map(([key, one]) => {
    const text = typeof one === "string" ? one : (JSON.stringify(one) ?? "");
    return `${encodeURIComponent(key.toWellFormed())}=${encodeURIComponent(text.toWellFormed().slice(0, 8_000))}`;
  });
  // Twice the same name makes an array of it.
  if (draw.once(8)) pairs.push(...pairs);
  return pairs.length === 0 ? "" : `?${pairs.join("&")}`;
}

function headersOf(draw: Draw, tokens: readonly string[]): Record<string, string> {
  const headers: Record<string, string> = {};
  const strange = [
    "Bearer ",
    "Bearer nobody",
    "Basic YTpi",
    "Bearer a b",
    `Bearer ${"x".repeat(5_000)}`,
    "\u00ff",
  ];
  if (!draw.once(6)) headers.authorization = draw.once(8) ? draw.of(strange) : `Bearer ${draw.of(tokens)}`;
  if (draw.once(15))
    headers["x-forwarded-for"] = draw.of(["8.8.8.8", "127.0.0.1", "::1, 10.0.0.1", ",,,", "\u00e9"]);
  if (draw.once(15)) headers["idempotency-key"] = draw.of(["k", "k".repeat(5_000), "\u00ff", "1"]);
  if (draw.once(15))
    headers["x-signature-256"] = draw.of(["sha256=", `sha256=${"0".repeat(64)}`, "md5=1", "é"]);
  if (draw.once(15)) headers.accept = draw.of(["text/html", "*/*;q=0", ""]);
  return headers;
}

/** A request for one of the routes: as it should be, nearly so, or for a path or by a method that is none. */
export function drawRequest(
  draw: Draw,
  routes: readonly Route[],
  shown: Shown,
  tokens: readonly string[],
): Drawn {
  const route = draw.of(routes);
  const id = shown.id();
  const place = route.url.replaceAll(/:\w+|\*/g, () => segment(draw, id));
  const path = draw.once(25) ? `${place}${draw.of(["/", "//", "/x", "%2f", ";a=b", ".json"])}` : place;
  const method = draw.once(20) ? draw.of(METHODS) : route.method;
  const headers = headersOf(draw, tokens);
  let body: Body | undefined;
  if (["POST", "PUT", "PATCH"].includes(method) || draw.once(30)) {
    body = drawBody(draw, route.body as Schema | undefined, shown.about(id));
  }
  return {
    route: `${route.method} ${route.url}`,
    method,
    path: path + query(draw, route.querystring as Schema | undefined, shown),
    headers: { ...headers, ...body?.headers },
    body: body?.bytes,
  };
}
