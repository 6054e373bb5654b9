import { type Classification, loadClassification, type Source } from "../intake/index.ts";
import { type ConfigOptions, loadConfig } from "./config/load.ts";
import { createSources } from "./create-adapters.ts";

/** Returns the sources and the classification with which a server of this configuration decodes bodies. Throws `invalid`. */
export function localSources(options: ConfigOptions): {
  sources: readonly Source[];
  classification: Classification;
} {
  const config = loadConfig(options);
  const { external_sites, classification, ci_cd, severities } = config.intake;
  return {
    sources: createSources(config),
    classification: loadClassification(external_sites, classification, ci_cd, severities),
  };
}
