import { inSteps, type Source, type SourceDescription } from "../../../intake/index.ts";
import { type CustomSource, config, mapOf } from "./config.ts";
import { compileMap, decodeBy } from "./decode.ts";

export type { CustomSource } from "./config.ts";

/** Whatever sends JSON and has no adapter, by a field map of the configuration: a source for each. */
export const custom = {
  id: "custom",
  config,
  describe: (): SourceDescription => ({
    name: "Mapped JSON",
    kind: "source",
    path: "/api/v1/webhooks/custom/:name",
    capabilities: ["firing", "resolved", "batch"],
    config,
    secrets: ["tokens", "hmac_secrets"],
  }),
  create: (source: CustomSource): Source => {
    const map = compileMap(mapOf(source));
    return { id: `custom:${source.name}`, decode: inSteps((body) => decodeBy(map, body)) };
  },
};
