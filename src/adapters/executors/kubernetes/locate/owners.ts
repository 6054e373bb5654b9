import type { Meta } from "../cluster/objects.ts";
import { ownerKind } from "../cluster/owner-kind.ts";
import { type Hit, identity, type ListedKind, type Search } from "./search.ts";

type Owner = NonNullable<Meta["ownerReferences"]>[number] & { apiVersion?: string };

export const controllerOf = ({ ownerReferences }: Pick<Meta, "ownerReferences">): Owner | undefined =>
  ownerReferences?.find((one) => one.controller === true);

// Pod, replica set or job, and its owner: no known chain of owners is longer.
const MOST_STEPS = 4;

/** Looks up the owners of objects, reading each owner only once per search. */
export class Owners {
  readonly #search: Search;
  readonly #known = new Map<string, Promise<Meta | undefined>>();

  constructor(search: Search) {
    this.#search = search;
  }

  #read(kind: ListedKind, namespace: string, name: string): Promise<Meta | undefined> {
    const key = `${kind}/${namespace}/${name}`;
    const known = this.#known.get(key) ?? identity(this.#search, kind, namespace, name);
    this.#known.set(key, known);
    return known;
  }

  /** Returns the topmost owner that can be acted on, or the object itself. The reason names the owner above it, if any. */
  async topOf(kind: ListedKind, meta: Meta, reason: string): Promise<Hit> {
    const { namespace = "" } = meta;
    let top = { kind, meta };
    let at = top;
    let above: Owner | undefined;
    for (let step = 0; step < MOST_STEPS; step += 1) {
      above = controllerOf(at.meta);
      const next = above && ownerKind(above);
      if (above === undefined || next === undefined) break;
      const owner = await this.#read(next, namespace, above.name);
      // An owner recreated under the same name has another uid and does not own this object.
      if (owner === undefined || owner.uid !== above.uid) break;
      at = { kind: next, meta: owner };
      // Never act on a replica set itself: its deployment would revert it.
      if (next !== "replicaset") top = at;
    }
    const owned = above === undefined ? "" : `; owned by ${above.kind} ${above.name}`;
    return { kind: top.kind, name: top.meta.name, namespace, reason: `${reason}${owned}` };
  }
}
