/**
 * Measures the product against data that others wrote: `AWOOOI_CORPUS_DIR=… npm run corpus -- operations`.
 * The project holds none of that data, and no test depends on it.
 */
import { existsSync } from "node:fs";
import { classification } from "./classification.ts";
import { correlation } from "./correlation.ts";
import type { Measure } from "./measure.ts";
import { operations } from "./operations.ts";
import { payloads } from "./payloads.ts";

const MEASURES: Readonly<Record<string, Measure>> = { operations, classification, correlation, payloads };

async function run(argv: readonly string[], folder: string | undefined): Promise<number> {
  const verbose = argv.includes("--verbose");
  const names = argv.filter((word) => !word.startsWith("--"));
  const unknown = names.find((name) => !Object.hasOwn(MEASURES, name));
  if (unknown !== undefined || argv.some((word) => word.startsWith("--") && word !== "--verbose")) {
    console.error(`usage: npm run corpus -- [${Object.keys(MEASURES).join("|")}]… [--verbose]`);
    return 2;
  }
  if (folder === undefined || folder === "" || !existsSync(folder)) {
    console.error("Set AWOOOI_CORPUS_DIR to the folder that holds the corpus.");
    return 2;
  }
  for (const name of names.length > 0 ? names : Object.keys(MEASURES))
    await MEASURES[name]?.(folder, { verbose });
  return 0;
}

process.exitCode = await run(process.argv.slice(2), process.env.AWOOOI_CORPUS_DIR);
