import { z } from "zod";

/** Uptime Kuma's webhook as JSON. Tests and notices of expiry have a `msg` only. */
export const uptimeKumaCall = z.looseObject({
  heartbeat: z
    .looseObject({
      status: z.number().int().describe("0 down, 1 up, 2 pending, 3 maintenance"),
      time: z.string().optional().describe("In UTC, written without an offset"),
      msg: z.string().nullish(),
      monitorID: z.number().int().optional(),
    })
    .nullish(),
  monitor: z
    .looseObject({
      id: z.number().int(),
      name: z.string(),
      type: z.string().optional(),
      url: z.string().nullish(),
      hostname: z.string().nullish(),
      port: z.union([z.number(), z.string()]).nullish(),
      tags: z.array(z.looseObject({ name: z.string(), value: z.string().nullish() })).nullish(),
    })
    .nullish(),
  msg: z.string().nullish(),
});
