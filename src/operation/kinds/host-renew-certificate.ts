import { z } from "zod";
import { defineOperation, noParameters, ON_HOST } from "../kind.ts";
import { host } from "../names.ts";
import { targetInWords } from "../words.ts";

export const renewCertificate = defineOperation({
  schema: z.strictObject({
    kind: z.literal("host.renew_certificate"),
    target: host,
    parameters: noParameters,
  }),
  traits: { ...ON_HOST, tool: "ssh_renew_ssl", verify: ["certificate_valid", "alert_silent"] },
  title: ({ target }) => `Renew the certificates of ${targetInWords(target)} that are due`,
  names: { RENEW_SSL: ["host"], RENEW_CERTIFICATE: ["host"], SSH_RENEW_SSL: ["host"] },
});
