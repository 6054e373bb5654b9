import { createHmac } from "node:crypto";
import { describe, expect, it } from "vitest";
import { silentLog } from "../../lib/log.ts";
import { OWN_SIGNATURE, signatureCheck } from "./check-signature.ts";

const [OLD, NEW] = ["the secret of last year", "密钥-\u{1f511}"] as const;
const both = signatureCheck({ form: OWN_SIGNATURE, secrets: [OLD, NEW], required: true }, silentLog);
const BODY = Buffer.from('{"alert_type": "磁碟滿了", "message": "\u{1f525}"}');
const hex = (secret: string, body: Buffer = BODY) => createHmac("sha256", secret).update(body).digest("hex");
const signed = (secret: string, body?: Buffer) => `sha256=${hex(secret, body)}`;
const refusal = (detail: RegExp) =>
  expect.objectContaining({ code: "signature_invalid", message: expect.stringMatching(detail) });

describe("a signature", () => {
  it.each([OLD, NEW])("of any of the secrets is right: %s", (secret) => {
    expect(both.of(BODY, signed(secret))).toBe("hmac");
    expect(both.of(Buffer.alloc(0), signed(secret, Buffer.alloc(0)))).toBe("hmac");
    const bytes = Buffer.from([0, 255, 128, 10]);
    expect(both.of(bytes, signed(secret, bytes))).toBe("hmac");
  });

  it("may be in capitals, which are the same number", () => {
    expect(both.of(BODY, `SHA256=${hex(NEW).toUpperCase()}`)).toBe("hmac");
  });

  it.each([undefined, "", "   "])("that is missing is called missing: %j", (header) => {
    expect(() => both.present(header)).toThrow(refusal(/is missing/));
    expect(() => both.of(BODY, header)).toThrow(refusal(/is missing/));
  });

  it.each([
    hex(OLD),
    `sha1=${hex(OLD)}`,
    `sha512=${hex(OLD)}`,
    `sha256:${hex(OLD)}`,
    `sha256= ${hex(OLD)}`,
    `sha256=${hex(OLD).slice(1)}`,
    `sha256=${hex(OLD)}00`,
    `sha256=${hex(OLD).slice(2)}zz`,
    `sha256=${hex(OLD).slice(1)}\u0660`,
    `${signed(OLD)},${signed(NEW)}`,
    `sha256=${Buffer.from(hex(OLD), "hex").toString("base64")}`,
    "sha256=",
    "constructor",
  ])("of another form is called malformed: %s", (header) => {
    expect(() => both.present(header)).toThrow(refusal(/is malformed/));
    expect(() => both.of(BODY, header)).toThrow(refusal(/is malformed/));
  });

  it("of another body, another secret or no secret does not fit", () => {
    const wrong = [
      signed(OLD, Buffer.concat([BODY, Buffer.from(" ")])),
      signed("another"),
      signed(""),
      signed(`${OLD}\n`),
      `sha256=${"0".repeat(64)}`,
    ];
    for (const header of wrong) {
      expect(() => both.present(header)).not.toThrow();
      expect(() => both.of(BODY, header)).toThrow(refusal(/does not match/));
    }
  });

  it("is in no error, and neither is a secret", () => {
    for (const header of [undefined, "sha256=beef", signed("another")]) {
      const error = (() => {
        try {
          return both.of(BODY, header);
        } catch (thrown) {
          return JSON.stringify(Object.entries(thrown as object)) + String(thrown);
        }
      })() as string;
      for (const secret of [OLD, NEW, hex(OLD).slice(0, 8), hex(NEW).slice(0, 8), "beef"])
        expect(error).not.toContain(secret);
    }
  });
});

describe("without a secret", () => {
  it("nothing is admitted where one is required, whatever is sent", () => {
    const check = signatureCheck({ form: OWN_SIGNATURE, secrets: [], required: true }, silentLog);
    for (const header of [undefined, signed(""), signed(OLD)]) {
      const refused = expect.objectContaining({
        code: "untrusted_sender",
        message: expect.stringContaining("WEBHOOK_HMAC_SECRET"),
      });
      expect(() => check.present(header)).toThrow(refused);
      expect(() => check.of(BODY, header)).toThrow(refused);
    }
  });

  it("the check is somebody else's where none is required, and one line of the log says so", () => {
    const lines: string[] = [];
    const check = signatureCheck(
      { form: OWN_SIGNATURE, secrets: [], required: false },
      { ...silentLog, warn: (_fields, text) => lines.push(text) },
    );
    expect(lines).toEqual([]);
    for (let n = 0; n < 3; n += 1) {
      check.present(undefined);
      expect(check.of(BODY, "anything")).toBeNull();
    }
    expect(lines).toEqual([expect.stringContaining("unsigned")]);
  });
});

describe("a vendor's signature", () => {
  const form = {
    header: "Shop-Signature",
    prefix: "",
    what: "the shop's calls",
    settings: "SHOP_SECRET or shop.secrets",
  };
  const check = signatureCheck({ form, secrets: [OLD, NEW], required: true }, silentLog);

  it("is the bare digits, of either secret", () => {
    for (const secret of [OLD, NEW]) {
      check.present(hex(secret));
      expect(check.of(BODY, hex(secret))).toBe("hmac");
      expect(check.of(BODY, hex(secret).toUpperCase())).toBe("hmac");
    }
  });

  it("is refused in any other form, of another body and of another secret, and never said", () => {
    for (const header of [signed(OLD), hex(OLD).slice(1), `${hex(OLD)}0`, `${hex(OLD)},${hex(NEW)}`])
      expect(() => check.present(header)).toThrow(refusal(/Shop-Signature is malformed/));
    expect(() => check.present("  ")).toThrow(refusal(/Shop-Signature is missing/));
    for (const header of [hex("another"), hex(OLD, Buffer.from("{}"))])
      expect(() => check.of(BODY, header)).toThrow(refusal(/does not match/));
  });

  it("is asked for by the names of its own settings", () => {
    const none = signatureCheck({ form, secrets: [], required: true }, silentLog);
    expect(() => none.present(hex(OLD))).toThrow(/SHOP_SECRET or shop\.secrets/);
  });
});
