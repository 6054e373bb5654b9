import { canonicalJson, sha256 } from "../lib/canonical-json.ts";
import type { PlaybookRow } from "./types.ts";

/** Returns the SHA-256 of a playbook's pattern and steps, in hexadecimal. Pure. */
export function hashOf({ pattern, steps }: Pick<PlaybookRow, "pattern" | "steps">): string {
  return sha256(canonicalJson({ pattern, steps }));
}
