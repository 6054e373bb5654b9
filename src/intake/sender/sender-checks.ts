import type { Log } from "../../lib/log.ts";
import type { SenderCheck, SenderChecks } from "../source.ts";
import { secretCheck } from "./check-secret.ts";
import type { SenderRequest } from "./check-sender.ts";
import { OWN_SIGNATURE, signatureCheck } from "./check-signature.ts";

type Terms = {
  /** Checks a caller by its address, else by its credentials: returns how it was admitted, or throws. */
  checkSender: (call: SenderRequest) => string;
  hmac_secrets: readonly string[];
  /** Whether a source that should have a secret refuses every call while none is configured. */
  required: boolean;
};

/** Returns the checks that sources choose from, by the settings of an installation. */
export function senderChecks({ checkSender, hmac_secrets, required }: Terms, log: Log): SenderChecks {
  const network: SenderCheck = {
    before: ({ call }) => checkSender(call),
    byBody: (_body, { call }) => checkSender(call),
  };
  const signature: SenderChecks["signature"] = (own) => {
    const { form, secrets } = own ?? { form: OWN_SIGNATURE, secrets: hmac_secrets };
    const check = signatureCheck({ form, secrets, required }, log);
    const header = form.header.toLowerCase();
    return {
      before(request) {
        check.present(request.header(header));
        return null;
      },
      byBody: (body, request) => check.of(body, request.header(header)) ?? checkSender(request.call),
    };
  };
  const own = signature();
  return {
    network,
    signature: (other) => (other === undefined ? own : signature(other)),
    secret: (policy) => secretCheck(policy, log),
    required,
  };
}
