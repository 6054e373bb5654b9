import { createHmac, timingSafeEqual } from "node:crypto";
import { AwoooiError } from "../../lib/error.ts";
import type { Log } from "../../lib/log.ts";

/** How one kind of sender signs: the header, the prefix before the hexadecimal digits there, and the names for error messages. */
export type SignatureForm = { header: string; prefix: string; what: string; settings: string };

/** AWOOOI's own signature form. */
export const OWN_SIGNATURE: SignatureForm = {
  header: "X-Signature-256",
  prefix: "sha256=",
  what: "signed alerts",
  settings: "WEBHOOK_HMAC_SECRET or intake.hmac_secrets",
};

export type SignaturePolicy = {
  form: SignatureForm;
  /** Secrets that may have signed: while one replaces another, both are valid. */
  secrets: readonly string[];
  /** Whether calls are refused while no secret is configured. */
  required: boolean;
};

/** The two halves of the check; each throws for a sender that is not admitted. */
export type SignatureCheck = {
  /** Called before the body is read. Throws when a signature is needed and none that can be checked is there. */
  present(header: string | undefined): void;
  /** Checks the raw body and returns who signed it; null when no secret is configured: the sender must be checked otherwise. */
  of(body: Buffer, header: string | undefined): string | null;
};

const DIGEST = /^[0-9a-f]{64}$/i;

function digestIn(given: string | undefined, { header, prefix }: SignatureForm): Buffer {
  const text = given ?? "";
  if (text.trim() === "") {
    const words = `The header ${header} is missing: send ${prefix}<HMAC-SHA256 of the body, in hex>.`;
    throw new AwoooiError("signature_invalid", words);
  }
  const hex = text.slice(prefix.length);
  if (text.slice(0, prefix.length).toLowerCase() !== prefix || !DIGEST.test(hex)) {
    const form = `${prefix === "" ? "" : `${prefix} and `}64 hexadecimal digits`;
    throw new AwoooiError("signature_invalid", `The header ${header} is malformed: it must be ${form}.`);
  }
  return Buffer.from(hex, "hex");
}

/**
 * Returns a check of the header of `form`, the HMAC of the raw body. It throws `signature_invalid`, and `untrusted_sender` where
 * a secret is required and none is configured. Neither secrets nor signatures appear in what it throws or logs.
 */
export function signatureCheck({ form, secrets, required }: SignaturePolicy, log: Log): SignatureCheck {
  const { header, what, settings } = form;
  let warned = false;

  function mustBeConfigured(): void {
    if (required) {
      const words = `No secret for ${what} is configured here, and without one they are refused in production: set ${settings}.`;
      throw new AwoooiError("untrusted_sender", words);
    }
    if (!warned) {
      log.warn({}, `${what} are accepted unsigned: set ${settings}; in production they would be refused`);
    }
    warned = true;
  }

  return {
    present(given) {
      if (secrets.length === 0) mustBeConfigured();
      else digestIn(given, form);
    },
    of(body, given) {
      if (secrets.length === 0) {
        mustBeConfigured();
        return null;
      }
      const digest = digestIn(given, form);
      // Compare with every secret, even after a match, so that the time taken reveals nothing.
      const fits = secrets.map((secret) =>
        timingSafeEqual(createHmac("sha256", secret).update(body).digest(), digest),
      );
      if (fits.includes(true)) return "hmac";
      throw new AwoooiError("signature_invalid", `The signature in ${header} does not match the body.`);
    },
  };
}
