import type { Finding } from "../../../contract/evidence.ts";
import type { HostFacts } from "./facts.ts";
import type { Filesystem } from "./filesystems.ts";
import type { Consumer } from "./room.ts";

/** Adds a fact to the evidence and gives its id. */
export type Cite = (subject: string, text: string) => string;

/** What a host is judged by. */
export type Judged = HostFacts & {
  /** Filesystems that the alert itself names, whatever their kind. */
  about: readonly Filesystem[];
  /** What takes the most room on the full ones. */
  room: readonly Consumer[];
};
/** Derives findings from facts, and cites what they rest on. Pure. */
export type Judge = (facts: Judged, cite: Cite, host: string) => Finding[];
