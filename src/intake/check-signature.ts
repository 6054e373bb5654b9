import { createHmac, timingSafeEqual } from "node:crypto";
import { AwoooiError } from "../lib/error.ts";
import type { Log } from "../lib/log.ts";

export type SignaturePolicy = {
  /** Any of these may have signed: while one replaces another, both are valid. */
  secrets: readonly string[];
  /** Without a secret nothing is admitted. */
  required: boolean;
};

/** The two halves of the check; each returns who sent it, or throws. */
export type SignatureCheck = {
  /** Before the body is read: whether there is a signature that can be checked, if one is needed. */
  present(header: string | undefined): void;
  /** Of the body as it came. Null when no secret is configured: the sender is to be checked otherwise. */
  of(body: Buffer, header: string | undefined): string | null;
};

const FORM = /^sha256=([0-9a-f]{64})$/i;
const HEADER = "X-Signature-256";

function digestIn(header: string | undefined): Buffer {
  if (header === undefined || header.trim() === "") {
    throw new AwoooiError(
      "signature_invalid",
      `The header ${HEADER} is missing: send sha256=<HMAC-SHA256 of the body, in hex>.`,
    );
  }
  const hex = FORM.exec(header)?.[1];
  if (hex === undefined) {
    const words = `The header ${HEADER} is malformed: it must be sha256= and 64 hexadecimal digits.`;
    throw new AwoooiError("signature_invalid", words);
  }
  return Buffer.from(hex, "hex");
}

/**
 * Checks `X-Signature-256: sha256=<hex>`, the HMAC of the raw body. Throws `signature_invalid`, and
 * `untrusted_sender` where a secret is required and none is configured. Neither secrets nor signatures
 * are in what it throws or logs.
 */
export function signatureCheck({ secrets, required }: SignaturePolicy, log: Log): SignatureCheck {
  let warned = false;

  function mustBeConfigured(): void {
    if (required) {
      const words =
        "No secret for signed alerts is configured here, and without one they are refused in production: set WEBHOOK_HMAC_SECRET or intake.hmac_secrets.";
      throw new AwoooiError("untrusted_sender", words);
    }
    if (!warned) {
      log.warn({}, "alerts are taken unsigned: set WEBHOOK_HMAC_SECRET; in production they would be refused");
    }
    warned = true;
  }

  return {
    present(header) {
      if (secrets.length === 0) mustBeConfigured();
      else digestIn(header);
    },
    of(body, header) {
      if (secrets.length === 0) {
        mustBeConfigured();
        return null;
      }
      const given = digestIn(header);
      // All of them, whichever fits: the time taken tells nothing.
      const fits = secrets.map((secret) =>
        timingSafeEqual(createHmac("sha256", secret).update(body).digest(), given),
      );
      if (fits.includes(true)) return "hmac";
      throw new AwoooiError("signature_invalid", `The signature in ${HEADER} does not fit the body.`);
    },
  };
}
