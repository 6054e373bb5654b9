import { SENDERS as CREDENTIALS, type SourceFixture, type Status } from "../conformance/fixture.ts";
import { FIXTURES } from "../conformance/fixtures/index.ts";
import { type Body, inBytes } from "./bodies.ts";
import type { Draw } from "./random.ts";
import type { Drawn } from "./requests.ts";
import { anything, hostileText, spoilt } from "./values.ts";

const ROUTING_KEY = "fuzz-routing-key-of-pagerduty-00";
const OTHER_KEY = "fuzz-routing-key-of-somebody-els";

/** What the genuine calls fit; and a proxy, so that there are many senders, and strangers. */
export const SENDER_SETTINGS = {
  ...CREDENTIALS,
  pagerduty: { routing_keys: [ROUTING_KEY] },
  intake: { ...CREDENTIALS.intake, proxies: ["127.0.0.1"] },
};

export type Sender = { name: string; fixture: SourceFixture };

/** Every kind of body that a source sends. */
export const SENDERS: readonly Sender[] = Object.entries(FIXTURES).flatMap(([source, fixtures]) =>
  fixtures.map((fixture) => ({ name: `${source}, ${fixture.name}`, fixture })),
);

const isPagerduty = ({ path }: SourceFixture) => path.startsWith("/pagerduty/");
const keyed = (fixture: SourceFixture, value: unknown): unknown =>
  isPagerduty(fixture) ? { routing_key: ROUTING_KEY, ...(value as object) } : value;

const pathOf = ({ path }: SourceFixture) => (path.startsWith("/api/") ? path : `/api/v1/webhooks${path}`);

function call({ name, fixture }: Sender, from: string, { bytes, headers }: Body): Drawn {
  const shown = fixture.headers?.(bytes);
  return {
    route: name,
    method: "POST",
    path: pathOf(fixture),
    headers: { "x-forwarded-for": from, ...shown, ...headers },
    body: bytes,
  };
}

/** What a source would send about a subject, from a sender that nobody else is. */
export function genuine(sender: Sender, subject: string): Drawn {
  const value = keyed(sender.fixture, sender.fixture.worded(subject, subject));
  const headers = { "content-type": "application/json" };
  return call(sender, "10.1.1.1", { bytes: Buffer.from(JSON.stringify(value)), headers });
}

/** One of the source's bodies, with words, times and numbers of alerts that it may well have. */
function said(draw: Draw, fixture: SourceFixture): unknown {
  const subject = draw.once(10) ? hostileText(draw) : `fuzz-${draw.number(1, 40)}-end`;
  const status: Status = draw.of(["firing", "resolved"]);
  switch (draw.number(0, 4)) {
    case 0:
      return fixture.minimal(subject);
    case 1:
      return fixture.worded(subject, hostileText(draw));
    case 2:
      return fixture.timed?.(subject, status, draw.once(2) ? hostileText(draw) : anything(draw));
    case 3: {
      // Ten thousand now and then: more than any sender puts into one body.
      const size = draw.once(100) ? 10_000 : draw.number(0, 6);
      return fixture.batch?.(
        Array.from({ length: size }, (_, n) => ({ subject: `fuzz-${n % 40}-end`, status })),
      );
    }
    default:
      return fixture.body(subject, status);
  }
}

/** Takes away what shows who sends it, or makes it wrong. */
function strange(draw: Draw, { headers, body, ...rest }: Drawn): Drawn {
  const wrong = draw.of(["", "sha256=", `sha256=${"0".repeat(64)}`, "0".repeat(64), "é", "x".repeat(5_000)]);
  const shown = {
    "x-forwarded-for": draw.of(["203.0.113.7", "10.1.1.1, 203.0.113.7", "", "nobody", ",,,"]),
    ...(draw.once(2) ? { authorization: `Bearer ${wrong}` } : {}),
    ...(draw.once(2) ? { "x-signature-256": wrong, "sentry-hook-signature": wrong } : {}),
  };
  const kept = Object.entries(headers).filter(([name]) => name.startsWith("content-"));
  const other = body?.toString("latin1").replace(ROUTING_KEY, OTHER_KEY);
  return {
    ...rest,
    headers: { ...Object.fromEntries(kept), ...shown },
    body: other === undefined ? undefined : Buffer.from(other, "latin1"),
  };
}

/** A call of one of the sources: as it would send it, or with something wrong in what it says, or in who it is. */
export function drawFromSender(draw: Draw): Drawn {
  const sender = draw.of(SENDERS);
  let value: unknown = said(draw, sender.fixture) ?? sender.fixture.body("fuzz-0-end", "firing");
  for (let faults = draw.of([0, 0, 1, 1, 3]); faults > 0; faults -= 1) value = spoilt(draw, value);
  if (value !== null && typeof value === "object" && !Array.isArray(value))
    value = keyed(sender.fixture, value);
  // Signed as it goes over the wire: what is wrong in it is what a sender with the secret says.
  const drawn = call(sender, `10.2.0.${draw.number(1, 250)}`, inBytes(draw, value));
  return draw.once(6) ? strange(draw, drawn) : drawn;
}
