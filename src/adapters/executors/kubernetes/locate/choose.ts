import { MOST_CANDIDATES, type TargetCandidate } from "../../../../contract/evidence.ts";
import type { OperationTarget } from "../../../../contract/incident.ts";
import { clip } from "../../../../lib/clip.ts";
import { CALLED_SO, type Hit } from "./search.ts";

/** What was found in one cluster. */
export type Found = {
  /** As the target is to name it; undefined: there is only one, and nobody named it. */
  cluster: string | undefined;
  hits: readonly Hit[];
  /** What is called alike, where nothing is exact. */
  alike: readonly Hit[];
  /** What could not be read there. */
  unread: readonly string[];
};

export type Choice =
  | { result: "one"; target: OperationTarget; reason: string; from: Found }
  | { result: "several"; candidates: TargetCandidate[] }
  /** Everything was looked at. */
  | { result: "none" }
  /** It may be where nothing could be read. */
  | { result: "unclear" };

const targetOf = ({ kind, name, namespace }: Hit, cluster: string | undefined): OperationTarget => ({
  kind,
  name,
  ...(namespace === undefined ? {} : { namespace }),
  ...(cluster === undefined ? {} : { cluster }),
});

/**
 * Which object is meant: the only one there is, where everything was read. `inPlace`: the alert named cluster and
 * namespace, so that a workload of exactly its name is the one, whatever else could not be read. Never one of two. Pure.
 */
export function choose(all: readonly Found[], inPlace: boolean): Choice {
  const of = (which: "hits" | "alike") => all.flatMap((from) => from[which].map((hit) => ({ hit, from })));
  const hits = of("hits");
  const complete = all.every(({ unread }) => unread.length === 0);
  const [first] = hits;
  if (first !== undefined && hits.length === 1) {
    const { hit, from } = first;
    if (complete || (inPlace && hit.reason.startsWith(CALLED_SO)))
      return { result: "one", target: targetOf(hit, from.cluster), reason: hit.reason, from };
  }
  const shown = hits.length > 0 ? hits : of("alike");
  if (shown.length > 0)
    return {
      result: "several",
      candidates: shown
        .slice(0, MOST_CANDIDATES)
        .map(({ hit, from }) => ({ target: targetOf(hit, from.cluster), reason: clip(hit.reason, 500) })),
    };
  return { result: complete ? "none" : "unclear" };
}
