import { describe, expect, it } from "vitest";
import type { SenderCheck, SentRequest } from "../../../intake/index.ts";
import { routingKeyCheck } from "./check-routing-key.ts";

const [OLD, NEW] = ["the-routing-key-until-now", "the-routing-key-from-now-on"] as const;
const network: SenderCheck = { before: () => "10.0.0.1", byBody: () => "10.0.0.1" };
const REQUEST = {} as SentRequest;
const bodyWith = (key: unknown) => Buffer.from(JSON.stringify({ routing_key: key }));

describe("a routing key", () => {
  it("is one of those that are configured, exactly", () => {
    const check = routingKeyCheck([OLD, NEW], { network, required: true });
    expect(check.before(REQUEST)).toBeNull();
    for (const key of [OLD, NEW]) expect(check.byBody(bodyWith(key), REQUEST)).toBe("routing key");
    for (const key of [undefined, null, "", OLD.slice(1), `${OLD} `, [OLD], { key: OLD }, 5])
      expect(() => check.byBody(bodyWith(key), REQUEST)).toThrow(
        expect.objectContaining({ code: "unauthenticated" }),
      );
  });

  it("is not needed where none is configured, but for production, where nothing is taken", () => {
    expect(routingKeyCheck([], { network, required: false })).toBe(network);
    const check = routingKeyCheck([], { network, required: true });
    expect(() => check.before(REQUEST)).toThrow(expect.objectContaining({ code: "untrusted_sender" }));
  });
});
