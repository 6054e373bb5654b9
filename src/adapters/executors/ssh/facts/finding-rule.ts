import type { Finding } from "../../../../contract/evidence.ts";
import type { Consumer } from "./disk-usage.ts";
import type { HostFacts } from "./facts.ts";
import type { Filesystem } from "./filesystems.ts";

/** Adds a fact to the evidence and returns its id. */
export type Cite = (subject: string, text: string) => string;

/** The facts from which findings about a host are derived. */
export type HostEvidence = HostFacts & {
  /** Filesystems that the alert names, of any type. */
  about: readonly Filesystem[];
  /** The largest consumers of space on the full filesystems. */
  room: readonly Consumer[];
};
/** Derives findings from facts, citing the facts as evidence. Pure. */
export type FindingRule = (facts: HostEvidence, cite: Cite, host: string) => Finding[];
