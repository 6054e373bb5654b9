import { createRequire } from "node:module";

type Library = typeof import("@kubernetes/client-node");

const load = createRequire(import.meta.url);

/**
 * The client library. It takes half a second and 80 MB: only who has a cluster pays for that, so nothing
 * imports more than its types.
 */
export function library(): Library {
  return load("@kubernetes/client-node") as Library;
}
