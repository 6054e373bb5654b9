import { z } from "zod";
import { decodeInSteps, type Source, type SourceKind } from "../../../intake/index.ts";
import { type CustomSource, config, mapOf, PRESETS } from "./config.ts";
import { compileMap, decodeBy } from "./decode.ts";

/** Returns the source of one field map. If it has no secrets of its own, the installation's secrets apply. */
export function mappedSource(settings: CustomSource): Source {
  const map = compileMap(mapOf(settings));
  const own = settings.tokens.length + settings.hmac_secrets.length > 0;
  return {
    id: `custom:${settings.name}`,
    sender: ({ secret, signature }) => (own ? secret(settings) : signature()),
    decode: decodeInSteps((body) => decodeBy(map, body)),
  };
}

/** Senders of JSON that have no adapter: one source for each field map of the configuration. */
export const custom = {
  id: "custom",
  name: "Mapped JSON",
  keywords: ["json", ...Object.keys(PRESETS)],
  endpoints: [
    {
      path: "/api/v1/webhooks/custom/:name",
      summary: "Any JSON, by a field map of intake.custom",
      body: z.unknown(),
    },
  ],
  credentials: "signature",
  idempotent: true,
  documentation: "custom-sources.md",
  settings: { path: "intake.custom", schema: config },
  create: (list: readonly CustomSource[]): Source[] => list.map(mappedSource),
} as const satisfies SourceKind<CustomSource[]>;
