import { AwoooiError } from "../../lib/error.ts";
import type { Log } from "../../lib/log.ts";
import type { SecretPolicy, SenderCheck, SentRequest } from "../source.ts";
import { sameSecret } from "./check-sender.ts";
import { OWN_SIGNATURE, signatureCheck } from "./check-signature.ts";

type Shown = {
  authorization: string | undefined;
  /** The value of the header that the source has configured for tokens. */
  given: string | undefined;
};

/** Returns a call's tokens: bearer, password of basic credentials (as in a URL), or in the source's own header. */
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

/** Returns the check of a source's own token or signature. It throws `unauthenticated` or `signature_invalid`. */
export function secretCheck({ tokens, header, hmac_secrets }: SecretPolicy, log: Log): SenderCheck {
  const signatures = signatureCheck({ form: OWN_SIGNATURE, secrets: hmac_secrets, required: true }, log);
  const name = header?.toLowerCase();
  const signatureOf = (request: SentRequest) => request.header("x-signature-256");
  const byToken = (request: SentRequest) => {
    const shown = {
      authorization: request.call.authorization,
      given: name === undefined ? undefined : request.header(name),
    };
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
    before(request) {
      const token = byToken(request);
      if (token !== null) return token;
      if (hmac_secrets.length === 0 || (signatureOf(request) === undefined && tokens.length > 0))
        throw new AwoooiError("unauthenticated", `This source needs ${ways.join(", or ")}.`);
      signatures.present(signatureOf(request));
      return null;
    },
    byBody: (body, request) => byToken(request) ?? signatures.of(body, signatureOf(request)) ?? "hmac",
  };
}
