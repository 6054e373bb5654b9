import { readFileSync } from "node:fs";
import { parse } from "yaml";
import { AwoooiError, messageOf } from "../../lib/error.ts";
import { parseTopology } from "../correlation/index.ts";

/** Returns the dependency graph of a YAML or JSON file as written, after validation; null without a file. Throws `invalid`. */
export function loadTopology(file?: string): unknown {
  if (file === undefined) return null;
  let written: unknown;
  try {
    written = parse(readFileSync(file, "utf8"));
  } catch (error) {
    throw new AwoooiError("invalid", `The topology in ${file} cannot be read: ${messageOf(error)}.`);
  }
  parseTopology(written);
  return written;
}
