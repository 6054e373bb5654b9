import { createRequire } from "node:module";

type Library = typeof import("redis");

const load = createRequire(import.meta.url);

/** The client library. Its 478 modules take 0.2 s and 11 MB: only who has a Redis pays for that. */
export function library(): Library {
  return load("redis") as Library;
}
