import { canonicalJson, sha256 } from "../lib/canonical-json.ts";
import type { PlaybookRow } from "./types.ts";

/** SHA-256 of what a playbook is for and does, in hexadecimal: another deed has another hash. Pure. */
export function hashOf({ pattern, steps }: Pick<PlaybookRow, "pattern" | "steps">): string {
  return sha256(canonicalJson({ pattern, steps }));
}
