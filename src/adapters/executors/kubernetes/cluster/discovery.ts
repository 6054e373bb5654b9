import { failureOf } from "./failure.ts";
import type { RawRequest } from "./raw-request.ts";

/** A kind of object that the cluster's API has. */
export type Resource = {
  /** The plural, as used in paths. */
  name: string;
  kind: string;
  namespaced: boolean;
  /** Empty for the core group. */
  group: string;
  version: string;
  verbs: readonly string[];
};

type GroupList = {
  groups: {
    name: string;
    versions: { version: string }[];
    preferredVersion?: { version: string };
  }[];
};
type ResourceList = {
  resources: {
    name: string;
    singularName?: string;
    kind: string;
    namespaced: boolean;
    verbs: string[];
    shortNames?: string[];
  }[];
};

// The API changes only when the cluster is upgraded or an operator is installed.
const KEEP_MS = 5 * 60_000;

type Kept = { until: number; value: Promise<unknown> };

/** The groups and resources of a cluster's API, read when needed and cached for five minutes. */
export class Discovery {
  readonly #raw: <T>(request: RawRequest) => Promise<T>;
  readonly #kept = new Map<string, Kept>();

  constructor(raw: <T>(request: RawRequest) => Promise<T>) {
    this.#raw = raw;
  }

  #get<T>(path: string): Promise<T> {
    const kept = this.#kept.get(path);
    if (kept !== undefined && performance.now() < kept.until) return kept.value as Promise<T>;
    const value = this.#raw<T>({ path });
    this.#kept.set(path, { until: performance.now() + KEEP_MS, value });
    // A failure is not cached.
    value.catch(() => this.#kept.delete(path));
    return value;
  }

  /** Returns the first of `versions` that the cluster has of `group`; undefined if it has none. */
  async version(group: string, versions: readonly string[]): Promise<string | undefined> {
    const { groups } = await this.#get<GroupList>("/apis");
    const found = groups.find((one) => one.name === group)?.versions.map((one) => one.version) ?? [];
    return versions.find((one) => found.includes(one));
  }

  /** Finds a resource by plural, singular, kind or short name, with or without `.group` appended. */
  async resource(name: string): Promise<Resource | undefined> {
    const [plain = "", ...rest] = name.toLowerCase().split(".");
    const wanted = rest.join(".");
    if (wanted === "") {
      const core = await this.#resources("/api/v1", "", "v1");
      const found = core.find((one) => one.names.includes(plain));
      if (found !== undefined) return found.resource;
    }
    const { groups } = await this.#get<GroupList>("/apis");
    for (const { name: group, versions, preferredVersion } of groups) {
      if (wanted !== "" && group !== wanted && !group.startsWith(`${wanted}.`)) continue;
      const version = preferredVersion?.version ?? versions[0]?.version;
      if (version === undefined) continue;
      const all = await this.#resources(`/apis/${group}/${version}`, group, version);
      const found = all.find((one) => one.names.includes(plain));
      if (found !== undefined) return found.resource;
    }
    return undefined;
  }

  async #resources(path: string, group: string, version: string) {
    try {
      const { resources } = await this.#get<ResourceList>(path);
      return resources
        .filter((one) => !one.name.includes("/"))
        .map(({ name, singularName = "", kind, namespaced, verbs, shortNames = [] }) => ({
          names: [name, singularName, kind.toLowerCase(), ...shortNames],
          resource: { name, kind, namespaced, group, version, verbs } satisfies Resource,
        }));
    } catch (error) {
      // An API group whose own server is down must not hide the others.
      if (failureOf(error).status === 503 || failureOf(error).status === 404) return [];
      throw error;
    }
  }
}
