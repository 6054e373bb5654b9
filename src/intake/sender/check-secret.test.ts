import { createHmac } from "node:crypto";
import { describe, expect, it } from "vitest";
import { silentLog } from "../../lib/log.ts";
import type { SecretPolicy, SentRequest } from "../source.ts";
import { secretCheck } from "./check-secret.ts";

const [OLD, NEW] = ["the-token-until-now", "the-token-from-now-on"] as const;
const BODY = Buffer.from('{"a":1}');
/** What a call shows; \`given\` stands in the header that the source has chosen. */
type Shown = {
  authorization?: string | undefined;
  given?: string | undefined;
  signature?: string | undefined;
};
const requestOf = ({ authorization, given, signature }: Shown): SentRequest => ({
  call: {
    peer: "192.0.2.1",
    authorization,
    forwarded_for: undefined,
    forwarded_otherwise: false,
    ...PROGRAM,
  },
  header: (name) => ({ "x-shop-token": given, "x-signature-256": signature })[name],
});
const PROGRAM = { method: "POST", origin: undefined, fetch_site: undefined, content_type: undefined };
const signed = (secret: string) => `sha256=${createHmac("sha256", secret).update(BODY).digest("hex")}`;
const basic = (pair: string) => `Basic ${Buffer.from(pair).toString("base64")}`;

const check = (policy: Partial<SecretPolicy>) =>
  secretCheck({ tokens: [], hmac_secrets: [], ...policy }, silentLog);
/** How a call is admitted by both halves of the check, or the code of what refuses it. */
function admitted(policy: Partial<SecretPolicy>, shown: Shown, body = BODY): string {
  try {
    const { before, byBody } = check(policy);
    return before(requestOf(shown)) ?? byBody(body, requestOf(shown));
  } catch (error) {
    const { code, message } = error as { code: string; message: string };
    for (const secret of [OLD, NEW]) expect(message).not.toContain(secret);
    return code;
  }
}

describe("a source with tokens", () => {
  const policy = { tokens: [OLD, NEW], header: "X-Shop-Token" };

  it("is called with any of them: as bearer token, as password or in the header of its choice", () => {
    for (const token of [OLD, NEW]) {
      const ways = [{ authorization: `Bearer ${token}` }, { authorization: `bearer   ${token}` }];
      for (const shown of [...ways, { authorization: basic(`any:${token}`) }, { given: token }])
        expect(admitted(policy, shown)).toBe("token");
    }
  });

  it.each<Shown>([
    {},
    { authorization: "" },
    { authorization: "Bearer " },
    { authorization: OLD },
    { authorization: `Bearer ${OLD.slice(1)}` },
    { authorization: `Bearer ${OLD} ${NEW}` },
    // Looks the same, and is not.
    { authorization: `Bearer ${OLD.replace("e", "\u0435")}` },
    { authorization: basic(`${OLD}:`) },
    { authorization: `Digest ${OLD}` },
    { given: "" },
    { given: `${OLD},${NEW}` },
    { signature: signed(OLD) },
  ])("refuses %j before the body is read", (shown) => {
    const { before } = check(policy);
    const refused = expect.objectContaining({ code: "unauthenticated" });
    expect(() => before(requestOf(shown))).toThrow(refused);
  });
});

describe("a source with HMAC secrets", () => {
  it("is admitted by a signature of the body, with tokens by either", () => {
    const policy = { hmac_secrets: [OLD, NEW] };
    expect(admitted(policy, { signature: signed(OLD) })).toBe("hmac");
    expect(admitted(policy, { signature: signed(NEW) })).toBe("hmac");
    expect(admitted(policy, { signature: signed(OLD) }, Buffer.from("{}"))).toBe("signature_invalid");
    expect(admitted(policy, { signature: signed("another-secret") })).toBe("signature_invalid");
    for (const signature of [undefined, "", "sha256=", "sha1=00"])
      expect(() => check(policy).before(requestOf({ signature }))).toThrow();
    expect(admitted(policy, { authorization: `Bearer ${OLD}` })).not.toBe("token");
    const both = { ...policy, tokens: [NEW] };
    expect(admitted(both, { authorization: `Bearer ${NEW}` })).toBe("token");
    expect(admitted(both, { signature: signed(OLD) })).toBe("hmac");
    expect(admitted(both, {})).toBe("unauthenticated");
  });
});
