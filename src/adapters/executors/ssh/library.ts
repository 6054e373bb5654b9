import { createRequire } from "node:module";

type Library = typeof import("ssh2");

const load = createRequire(import.meta.url);

/** The client library. Only who has hosts pays for its time and memory, so nothing imports more than its types. */
export function library(): Library {
  return load("ssh2") as Library;
}
