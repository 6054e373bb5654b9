import { MOST_CANDIDATES, type TargetCandidate } from "../../../../contract/evidence.ts";
import type { OperationTarget } from "../../../../contract/incident.ts";
import { clip } from "../../../../lib/clip.ts";
import { HAS_THIS_NAME, type Hit } from "./search.ts";

/** The result of the search in one cluster. */
export type ClusterHits = {
  /** The cluster's name for the target; undefined if there is only one cluster and the alert did not name it. */
  cluster: string | undefined;
  hits: readonly Hit[];
  /** Objects with similar names, if there is no exact hit. */
  alike: readonly Hit[];
  /** What could not be read there. */
  unread: readonly string[];
};

export type Choice =
  | { result: "one"; target: OperationTarget; reason: string; from: ClusterHits }
  | { result: "several"; candidates: TargetCandidate[] }
  /** Everything was read, and nothing fits. */
  | { result: "none" }
  /** Nothing was found, but not everything could be read. */
  | { result: "unclear" };

const targetOf = ({ kind, name, namespace }: Hit, cluster: string | undefined): OperationTarget => ({
  kind,
  name,
  ...(namespace === undefined ? {} : { namespace }),
  ...(cluster === undefined ? {} : { cluster }),
});

/**
 * Chooses the object that is meant: the only hit, if everything was read. `inPlace`: cluster and namespace are known, so a
 * single hit of exactly that name is enough, even if something could not be read. Never picks one of several. Pure.
 */
export function choose(all: readonly ClusterHits[], inPlace: boolean): Choice {
  const of = (which: "hits" | "alike") => all.flatMap((from) => from[which].map((hit) => ({ hit, from })));
  const hits = of("hits");
  const complete = all.every(({ unread }) => unread.length === 0);
  const [first] = hits;
  if (first !== undefined && hits.length === 1) {
    const { hit, from } = first;
    if (complete || (inPlace && hit.reason.startsWith(HAS_THIS_NAME)))
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
