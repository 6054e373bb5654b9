import { gzipSync } from "node:zlib";
import { alertmanagerBody } from "../support/alerts.ts";
import type { Draw } from "./random.ts";
import { anything, hostileText, type Schema, spoilt, valid } from "./values.ts";

export type Body = { bytes: Buffer; headers: Record<string, string> };

const JSON_TYPE = { "content-type": "application/json" };

/** Bodies of a webhook's sender, by the words of many: where the server takes any JSON, these are near it. */
function fromSender(draw: Draw): unknown {
  const name = () => (draw.once(4) ? hostileText(draw) : `Fuzz${draw.number(1, 40)}`);
  if (draw.once(3)) {
    return {
      alert_type: draw.of(["high_cpu", "custom", name()]),
      severity: draw.of(["critical", "warning", "info", name()]),
      source: draw.of(["prometheus", "manual", name()]),
      alert_name: name(),
      target: name(),
      target_resource: name(),
      namespace: draw.of(["default", name()]),
      message: hostileText(draw),
      labels: { [name()]: name() },
      annotations: {},
      metrics: { cpu: draw.number(0, 100) },
    };
  }
  // Ten thousand now and then: more than any sender puts into one body.
  const size = draw.once(400) ? 10_000 : draw.number(0, 4);
  const alerts = Array.from({ length: size }, () => ({
    labels: {
      alertname: name(),
      service: `service-${draw.number(1, 20)}`,
      severity: draw.of(["critical", "info"]),
    },
    status: draw.of(["firing", "resolved"] as const),
    startsAt: draw.once(10) ? hostileText(draw) : new Date(draw.number(1, 2 ** 31) * 1_000).toISOString(),
    summary: hostileText(draw),
  }));
  return alertmanagerBody(alerts);
}

/** The text with one of its texts and numbers replaced. */
function withValue(draw: Draw, text: string, value: string): string {
  const places = [...text.matchAll(/:("[^"]*"|\d+)/g)];
  if (places.length === 0) return value;
  const { index, 0: found } = draw.of(places);
  return `${text.slice(0, index)}:${value}${text.slice(index + found.length)}`;
}

/** JSON as a program would never write it, with the same meaning or none. */
function oddly(draw: Draw, value: unknown): Buffer {
  const text = JSON.stringify(value) ?? "";
  const deep = draw.of([100, 10_000, 200_000]);
  const odd: readonly (() => Buffer | string)[] = [
    () => text.slice(0, draw.number(0, text.length)),
    () => `${text}${text}`,
    () => `\ufeff${text}`,
    () => text.replace("{", `{"__proto__":{"admin":true},"constructor":{"prototype":{"admin":true}},`),
    () => text.replace(/"(\w+)":/, '"$1":1,"$1":'),
    () => withValue(draw, text, "1e999"),
    () => withValue(draw, text, "-123456789012345678901234567890"),
    () => withValue(draw, text, "[".repeat(deep) + "]".repeat(deep)),
    () => withValue(draw, text, `${'{"a":'.repeat(deep)}1${"}".repeat(deep)}`),
    () => text.replaceAll('"', "'"),
    () => "[".repeat(deep) + "]".repeat(deep),
    () => `${'{"a":'.repeat(deep)}1${"}".repeat(deep)}`,
    () => `[${"0,".repeat(9_999)}0]`,
    () =>
      Buffer.concat([
        Buffer.from(text.slice(0, -1)),
        Buffer.from([0xff, 0xfe, 0xc0, 0x80]),
        Buffer.from("}"),
      ]),
    () => Buffer.from(text, "utf16le"),
    () => draw.bytes(draw.number(0, 2_000)),
    () => " ".repeat(100_000) + text,
  ];
  return Buffer.from(draw.of(odd)());
}

/** What the headers say of it is not what it is. */
function misnamed(draw: Draw, bytes: Buffer): Body {
  const headers: Record<string, string>[] = [
    {},
    { "content-type": "text/plain" },
    { "content-type": "application/json; charset=utf-16" },
    { "content-type": "application/x-www-form-urlencoded" },
    { "content-type": "multipart/form-data; boundary=x" },
    { "content-type": ";;;" },
    { ...JSON_TYPE, "content-encoding": "gzip" },
    { ...JSON_TYPE, "content-encoding": "br, deflate, nonsense" },
  ];
  if (draw.once(6)) return { bytes: gzipSync(bytes), headers: { ...JSON_TYPE, "content-encoding": "gzip" } };
  return { bytes, headers: draw.of(headers) };
}

/** A value as it goes over the wire: as JSON, or as what is hardly that, under its own name or another. */
export function inBytes(draw: Draw, value: unknown): Body {
  const bytes = draw.once(6) ? oddly(draw, value) : Buffer.from(JSON.stringify(value) ?? "");
  return draw.once(10) ? misnamed(draw, bytes) : { bytes, headers: JSON_TYPE };
}

/** A body for a route with this schema, or without one: right, nearly right, or nothing of the kind. */
export function drawBody(
  draw: Draw,
  schema: Schema | undefined,
  known: (name: string) => unknown,
): Body | undefined {
  if (draw.once(20)) return undefined;
  // A body over the limit costs the most to send, and is refused the same each time.
  if (draw.once(2_000)) return { bytes: Buffer.alloc(6 * 1024 * 1024, "["), headers: JSON_TYPE };
  const right = schema === undefined ? fromSender(draw) : valid(draw, schema, known);
  const value = draw.once(2) ? right : draw.once(3) ? anything(draw) : spoilt(draw, right);
  return inBytes(draw, value);
}
