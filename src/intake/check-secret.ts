import { AwoooiError } from "../lib/error.ts";
import type { Log } from "../lib/log.ts";
import { sameSecret } from "./check-sender.ts";
import { OWN_SIGNATURE, signatureCheck } from "./check-signature.ts";

/** What a caller shows: `given` is the header that its source has chosen for tokens. */
export type Shown = {
  authorization: string | undefined;
  given: string | undefined;
  signature: string | undefined;
};

/** Secrets of one source: any of them is taken, so that one can replace another. */
export type SecretPolicy = {
  tokens: readonly string[];
  header?: string | undefined;
  hmac_secrets: readonly string[];
};

/** The two halves of the check; each returns how the caller was admitted, or throws. */
export type SecretCheck = {
  /** Of a request's headers, in lower case; undefined: tokens are in `Authorization` only. */
  header: string | undefined;
  /** Before the body is read. Null: its signature is to be seen. */
  before(shown: Shown): string | null;
  of(body: Buffer, shown: Shown): string;
};

/** The tokens that a call shows: a bearer token, or the password of basic credentials, as in a URL. */
function tokensIn({ authorization = "", given }: Shown): string[] {
  const [scheme = "", rest = ""] = authorization.split(/ +(.*)/s);
  const password = () =>
    Buffer.from(rest, "base64")
      .toString("utf8")
      .replace(/^[^:]*:/, "");
  const named = scheme.toLowerCase();
  return [
    ...(named === "bearer" ? [rest] : named === "basic" ? [password()] : []),
    ...(given ? [given] : []),
  ];
}

/** A check of a source that has secrets of its own: a token, or a signature. Throws `unauthenticated` or `signature_invalid`. */
export function secretCheck({ tokens, header, hmac_secrets }: SecretPolicy, log: Log): SecretCheck {
  const signatures = signatureCheck({ form: OWN_SIGNATURE, secrets: hmac_secrets, required: true }, log);
  const byToken = (shown: Shown) => {
    const fits = tokensIn(shown).flatMap((given) => tokens.map((token) => sameSecret(given, token)));
    return fits.includes(true) ? "token" : null;
  };
  const ways = [
    ...(tokens.length > 0
      ? [`\`Authorization: Bearer TOKEN\`${header ? ` or the token in \`${header}\`` : ""}`]
      : []),
    ...(hmac_secrets.length > 0 ? ["a signature in `X-Signature-256`"] : []),
  ];
  return {
    header: header?.toLowerCase(),
    before(shown) {
      const token = byToken(shown);
      if (token !== null) return token;
      if (hmac_secrets.length === 0 || (shown.signature === undefined && tokens.length > 0))
        throw new AwoooiError("unauthenticated", `This source takes ${ways.join(", or ")}.`);
      signatures.present(shown.signature);
      return null;
    },
    of: (body, shown) => byToken(shown) ?? signatures.of(body, shown.signature) ?? "hmac",
  };
}
