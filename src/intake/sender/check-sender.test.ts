import { describe, expect, it } from "vitest";
import { programFrom, type SenderRequest, senderAddress, senderCheck } from "./check-sender.ts";

const TOKEN = "a-token-of-some-length";
const check = senderCheck({
  trusted_networks: ["127.0.0.0/8", "::1", "10.0.0.0/8", "192.168.0.0/16", "fc00::/7", "fe80::/10"],
  proxies: ["10.9.9.9", "172.31.0.0/24"],
  bearer_tokens: [TOKEN, "another-token-entirely"],
  basic: [{ username: "prom", password: "a:pass word" }],
});
const OUTSIDE = "203.0.113.7";
const call = (peer: string, more: Partial<SenderRequest> = {}): SenderRequest => ({
  peer,
  authorization: undefined,
  forwarded_for: undefined,
  forwarded_otherwise: false,
  method: "POST",
  origin: undefined,
  fetch_site: undefined,
  content_type: "application/json",
  ...more,
});
const basic = (pair: string) => `Basic ${Buffer.from(pair).toString("base64")}`;
const code = (expected: string) => expect.objectContaining({ code: expected });
const refused = (one: SenderRequest) => expect(() => check(one)).toThrow(code("untrusted_sender"));

describe("the address of the socket", () => {
  it.each([
    "127.0.0.1",
    "127.8.8.8",
    "::1",
    "10.1.2.3",
    "192.168.7.7",
    "::ffff:10.1.2.3",
    "::FFFF:127.0.0.1",
    "fd00::1",
    "fe80::1%eth0",
  ])("admits %s", (peer) => {
    expect(check(call(peer))).toBe(peer);
  });

  it.each([
    OUTSIDE,
    "11.0.0.1",
    "::ffff:203.0.113.7",
    "::ffff:cb00:7107",
    "2001:db8::1",
    "",
    "unknown",
    "10.0.0.1.example",
    "0",
  ])("refuses %s, and says how to be admitted", (peer) => {
    refused(call(peer));
    expect(() => check(call(peer))).toThrow(/Bearer TOKEN/);
  });
});

describe("headers that say the call was passed on", () => {
  it("do not let an outsider in, whatever they claim", () => {
    for (const claim of ["127.0.0.1", "10.0.0.1", "10.9.9.9", "::1", "", " ", "127.0.0.1, 10.9.9.9"]) {
      refused(call(OUTSIDE, { forwarded_for: claim }));
    }
  });

  it("make a call from inside count as external unless a configured proxy made it", () => {
    for (const claim of ["127.0.0.1", "10.0.0.1", OUTSIDE, ""])
      refused(call("10.1.2.3", { forwarded_for: claim }));
    refused(call("127.0.0.1", { forwarded_otherwise: true }));
    refused(call("10.9.9.9", { forwarded_otherwise: true }));
  });

  it("are believed of a proxy, as far as the address that it received from", () => {
    const via = (forwarded_for: string, peer = "10.9.9.9") => call(peer, { forwarded_for });
    expect(check(via("10.1.2.3"))).toBe("10.1.2.3");
    expect(check(via("10.1.2.3", "::ffff:172.31.0.5"))).toBe("10.1.2.3");
    expect(check(via("10.1.2.3, 172.31.0.8"))).toBe("10.1.2.3");
    expect(check({ ...via("10.1.2.3"), forwarded_otherwise: true })).toBe("10.1.2.3");
    refused(via(OUTSIDE));
    // The outsider wrote the first address, the proxy the second.
    refused(via(`127.0.0.1, ${OUTSIDE}`));
    refused(via(`10.1.2.3,${OUTSIDE},172.31.0.8`));
    for (const odd of [
      "",
      ",",
      "10.1.2.3,",
      "unknown",
      "10.1.2.3:80",
      "[::1]",
      "172.31.0.8",
      "10.1.2.3 ,x",
    ]) {
      refused(via(odd));
    }
  });
});

describe("credentials", () => {
  it.each([
    [`Bearer ${TOKEN}`, "bearer token"],
    [`bearer  another-token-entirely`, "bearer token"],
    [basic("prom:a:pass word"), "basic:prom"],
  ])("that are right admit from anywhere: %s", (authorization, how) => {
    expect(check(call(OUTSIDE, { authorization }))).toBe(how);
    expect(check(call(OUTSIDE, { authorization, forwarded_for: "1.2.3.4" }))).toBe(how);
    expect(check(call("127.0.0.1", { authorization, forwarded_otherwise: true }))).toBe(how);
  });

  it.each([
    "",
    "Bearer",
    "Bearer ",
    `Bearer ${TOKEN}x`,
    `Bearer ${TOKEN.slice(0, -1)}`,
    `Bearer ${TOKEN} `,
    TOKEN,
    `Token ${TOKEN}`,
    "Basic",
    "Basic ",
    basic(""),
    basic(":"),
    basic("prom"),
    basic("prom:"),
    basic("prom:wrong"),
    basic("Prom:a:pass word"),
    basic(`${TOKEN}:`),
    "Bearer undefined",
    `Bearer\t${TOKEN}`,
  ])("that are wrong admit nobody from outside: %j", (authorization) => {
    expect(() => check(call(OUTSIDE, { authorization }))).toThrow(code("unauthenticated"));
  });

  it("are no use where none are configured", () => {
    const bare = senderCheck({ trusted_networks: [], proxies: [], bearer_tokens: [], basic: [] });
    for (const authorization of ["Bearer ", "Bearer x", basic(":"), basic("")]) {
      expect(() => bare(call("127.0.0.1", { authorization }))).toThrow(code("unauthenticated"));
    }
    expect(() => bare(call("127.0.0.1"))).toThrow(code("untrusted_sender"));
  });

  it("are never in what is said of a refusal", () => {
    for (const authorization of [`Bearer ${TOKEN}x`, basic("prom:wrong-password")]) {
      const refusal = (() => {
        try {
          return check(call(OUTSIDE, { authorization }));
        } catch (error) {
          return String(error);
        }
      })();
      expect(refusal).not.toContain(authorization.split(" ")[1]);
      expect(refusal).not.toContain(TOKEN);
    }
  });
});

describe("a web page in a browser of a trusted network", () => {
  const inside = (more: Partial<SenderRequest>) => call("127.0.0.1", more);
  const page = (more: Partial<SenderRequest>, expected = "from_web_page") =>
    expect(() => check(inside(more)), JSON.stringify(more)).toThrow(code(expected));

  it("is told by what browsers add, whatever type it claims", () => {
    for (const method of ["POST", "GET", "DELETE"])
      for (const origin of ["https://evil.example", "null", "", "http://127.0.0.1:8000", "file://"])
        page({ method, origin });
    for (const fetch_site of ["cross-site", "same-site", "Cross-Site", "cross-site, none", "made-up", ""]) {
      page({ fetch_site });
      page({ fetch_site, method: "GET" });
    }
    for (const fetch_site of ["same-origin", "none"]) page({ fetch_site });
  });

  it("is kept out by what it may send without being asked: no type but JSON counts", () => {
    for (const content_type of [
      undefined,
      "",
      "text/plain",
      "text/plain; application/json",
      "text/plain;charset=UTF-8",
      "application/x-www-form-urlencoded",
      "multipart/form-data; boundary=application/json",
      "application/csp-report",
      "text/ping",
      "application/json,text/plain",
      "text/plain+json+plain",
      "json",
      "application/jsonp",
    ])
      page({ content_type }, "unsupported_media_type");
    for (const content_type of [
      "application/json",
      "Application/JSON ; charset=utf-8",
      "application/vnd.alerts+json",
      "text/json",
    ])
      expect(check(inside({ content_type }))).toBe("127.0.0.1");
  });

  it("is no program, which reads as it likes, and no person who types the address", () => {
    const none = { content_type: undefined };
    expect(check(inside({ ...none, method: "GET" }))).toBe("127.0.0.1");
    for (const fetch_site of ["none", "same-origin"])
      expect(check(inside({ ...none, method: "GET", fetch_site }))).toBe("127.0.0.1");
    const reads = programFrom(["127.0.0.1"], []);
    expect(reads(inside({ ...none, method: "GET" }))).toBe(true);
    expect(reads(inside({ ...none, method: "GET", origin: "https://evil.example" }))).toBe(false);
    expect(reads(call(OUTSIDE, { method: "GET" }))).toBe(false);
  });

  it("has no token; what its browser adds by itself, basic credentials, gives it none", () => {
    const origin = "https://evil.example";
    const bearer = { authorization: `Bearer ${TOKEN}`, origin, content_type: "text/plain" };
    expect(check(inside(bearer))).toBe("bearer token");
    const authorization = basic("prom:a:pass word");
    page({ authorization, origin, content_type: "text/plain" });
    page({ authorization, fetch_site: "cross-site", content_type: undefined });
    // A proxy of a page of its own, which passes on what its browser said: no page sends JSON unasked.
    expect(check(inside({ authorization, origin }))).toBe("basic:prom");
    expect(check(inside({ authorization, content_type: undefined }))).toBe("basic:prom");
  });

  it("is told nothing of it outside, where an address is no authority", () => {
    refused(call(OUTSIDE, { origin: "https://evil.example" }));
    refused(call(OUTSIDE, { content_type: "text/plain" }));
  });
});

describe("the networks", () => {
  it.each([
    "10.0.0.0/",
    "10.0.0.0/33",
    "10.0.0.0/x",
    "10.0.0.0/8/8",
    "10.0.0.0/-1",
    "::/129",
    "example.org",
    "",
  ])("must be addresses or ranges: %j", (network) => {
    const policy = { trusted_networks: [network], proxies: [], bearer_tokens: [], basic: [] };
    expect(() => senderCheck(policy)).toThrow(code("invalid"));
    expect(() => senderCheck({ ...policy, trusted_networks: [], proxies: [network] })).toThrow(
      code("invalid"),
    );
  });
});

describe("the address by which a sender is counted", () => {
  const addressOf = senderAddress(["10.9.9.9", "172.31.0.0/24"]);
  it.each([
    [OUTSIDE, undefined, OUTSIDE],
    ["::ffff:203.0.113.7", undefined, OUTSIDE],
    // One machine has a whole /64 to choose from.
    ["2001:db8:1:2:3:4:5:6", undefined, "2001:db8:1:2::/64"],
    ["2001:0db8:0001:0002::9", undefined, "2001:db8:1:2::/64"],
    ["fd00::1", undefined, "fd00:0:0:0::/64"],
    ["::1", undefined, "0:0:0:0::/64"],
    ["fe80::1%eth0", undefined, "fe80:0:0:0::/64"],
    // Only a proxy is believed; and one that says nothing sound counts itself.
    [OUTSIDE, "10.1.1.1", OUTSIDE],
    ["10.9.9.9", `10.1.1.1, ${OUTSIDE}`, OUTSIDE],
    ["10.9.9.9", "10.1.1.1, 172.31.0.3", "10.1.1.1"],
    ["10.9.9.9", "made up", "10.9.9.9"],
    ["10.9.9.9", "fd00::1%made-up", "10.9.9.9"],
    ["", undefined, "unknown"],
  ])("of %s, forwarded for %s, is %s", (peer, forwarded_for, expected) => {
    expect(addressOf(call(peer, { forwarded_for }))).toBe(expected);
  });
});
