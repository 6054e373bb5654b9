import { createRequire } from "node:module";

type Library = typeof import("ssh2");

const load = createRequire(import.meta.url);

/** Loads the SSH library on first use, so that an installation without hosts does not; elsewhere import only its types. */
export function library(): Library {
  return load("ssh2") as Library;
}
