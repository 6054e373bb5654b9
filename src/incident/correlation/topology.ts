/** The dependency graph of services, as written by people or exported by tools. */
import { AwoooiError, type FieldError } from "../../lib/error.ts";
import { addToMultimap } from "./multimap.ts";
import { fold } from "./names.ts";

type Service = { name: string; namespace: string; cluster: string };
type Scope = { cluster: string; namespace: string };

/** A parsed dependency graph. A service is identified by its index in the list. */
export type Topology = {
  services: readonly Service[];
  /** The direct dependencies of each service. */
  dependencies: readonly ReadonlySet<number>[];
  /** Whether the graph knows this name in any namespace; `name` is folded. */
  has: (name: string) => boolean;
  /** The one service of this name in this scope; undefined where there is none or more than one. */
  find: (name: string, scope: Scope) => number | undefined;
};

type Entry = { name: string; path: string; namespace: string; cluster: string };
type Edge = { from: string; to: string; path: string; near?: Entry };
type Draft = { entries: Entry[]; edges: Edge[]; errors: FieldError[] };

type Json = Record<string, unknown>;
const isObject = (value: unknown): value is Json =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const at = (path: string, key: string | number) => (path === "" ? String(key) : `${path}.${key}`);

/** Returns the text under the first of these keys that is present. */
function textAt(draft: Draft, value: Json, path: string, keys: readonly string[], needed: boolean): string {
  const key = keys.find((one) => Object.hasOwn(value, one) && value[one] !== null);
  if (key === undefined) {
    if (needed) draft.errors.push({ path, message: `It needs \`${keys[0]}\`.` });
    return "";
  }
  const text = value[key];
  if (typeof text === "number" || (typeof text === "string" && (text.trim() !== "" || !needed)))
    return String(text).trim();
  draft.errors.push({ path: at(path, key), message: "It must be a string." });
  return "";
}

function entryOf(draft: Draft, name: string, value: Json, path: string): Entry {
  const [last = "", namespace = "", cluster = ""] = name.split("/").reverse();
  return {
    name: last,
    path,
    namespace: textAt(draft, value, path, ["namespace"], false) || namespace,
    cluster: textAt(draft, value, path, ["cluster"], false) || cluster,
  };
}

/** Reads `[name]` or, as in Compose files, `{name: …}`. */
function namesAt(draft: Draft, value: unknown, path: string): string[] {
  if (value === undefined || value === null) return [];
  if (isObject(value)) return Object.keys(value);
  if (!Array.isArray(value)) {
    draft.errors.push({ path, message: "It must be a list of names." });
    return [];
  }
  return value.flatMap((one, index) => {
    if (typeof one === "string" && one.trim() !== "") return [one.trim()];
    draft.errors.push({ path: at(path, index), message: "It must be a name." });
    return [];
  });
}

const DEPENDS_ON = ["depends_on", "dependsOn", "dependencies", "runs_on"];

function readServices(draft: Draft, services: Json, path: string): void {
  for (const [name, value] of Object.entries(services)) {
    const here = at(path, name);
    const body = Array.isArray(value) ? { depends_on: value } : (value ?? {});
    if (!isObject(body)) {
      draft.errors.push({
        path: here,
        message: "It must be an object with `depends_on`, or a list of names.",
      });
      continue;
    }
    const entry = entryOf(draft, name, body, here);
    draft.entries.push(entry);
    for (const key of DEPENDS_ON) {
      for (const to of namesAt(draft, body[key], at(here, key)))
        draft.edges.push({ from: name, to, path: at(here, key), near: entry });
    }
  }
}

function readNodes(draft: Draft, nodes: readonly unknown[], path: string): void {
  for (const [index, node] of nodes.entries()) {
    const here = at(path, index);
    if (typeof node === "string") draft.entries.push(entryOf(draft, node, {}, here));
    else if (isObject(node)) {
      const name = textAt(draft, node, here, ["id", "name"], true);
      if (name !== "") draft.entries.push(entryOf(draft, name, node, here));
    } else draft.errors.push({ path: here, message: "It must be a name, or an object with `id`." });
  }
}

function readEdges(draft: Draft, edges: readonly unknown[], path: string): void {
  for (const [index, edge] of edges.entries()) {
    const here = at(path, index);
    const value = Array.isArray(edge) ? { from: edge[0], to: edge[1] } : edge;
    if (!isObject(value)) {
      draft.errors.push({ path: here, message: "It must have `from` and `to`." });
      continue;
    }
    const from = textAt(draft, value, here, ["from", "source", "parent", "caller", "client"], true);
    const to = textAt(draft, value, here, ["to", "target", "child", "callee", "server"], true);
    if (from !== "" && to !== "") draft.edges.push({ from, to, path: here });
  }
}

function read(draft: Draft, json: unknown): void {
  if (Array.isArray(json)) {
    readEdges(draft, json, "");
    return;
  }
  if (!isObject(json)) {
    draft.errors.push({ path: "", message: "It must have `services`, or be a list of edges." });
    return;
  }
  const { services, nodes } = json;
  const edges = ["edges", "links", "dependencies", "data"].find((key) => Array.isArray(json[key]));
  if (isObject(services)) readServices(draft, services, "services");
  else if (Array.isArray(services)) readNodes(draft, services, "services");
  if (Array.isArray(nodes)) readNodes(draft, nodes, "nodes");
  if (edges !== undefined) readEdges(draft, json[edges] as unknown[], edges);
  if (draft.entries.length === 0 && edges === undefined)
    draft.errors.push({ path: "", message: "It must have `services`, or `edges`, or be a list of edges." });
}

/** Whether two scopes may be the same: an empty one matches any. */
export const agree = (one: string, other: string) => one === "" || other === "" || one === other;

/** Indexes services by exact and by folded name. */
class Directory {
  readonly services: Service[] = [];
  readonly #exact = new Map<string, number[]>();
  readonly #folded = new Map<string, number[]>();

  add(service: Service): number {
    const known = (this.#exact.get(service.name) ?? []).find((index) => {
      const one = this.services[index];
      return one?.namespace === service.namespace && one.cluster === service.cluster;
    });
    if (known !== undefined) return known;
    const index = this.services.push(service) - 1;
    addToMultimap(this.#exact, service.name, index);
    addToMultimap(this.#folded, fold(service.name), index);
    return index;
  }

  has(name: string): boolean {
    return this.#folded.has(name);
  }

  find(name: string, scope: Scope): number | undefined {
    for (const list of [this.#exact.get(name), this.#folded.get(fold(name))]) {
      const fitting = (list ?? []).filter((index) => {
        const { cluster, namespace } = this.services[index] as Service;
        return agree(cluster, scope.cluster) && agree(namespace, scope.namespace);
      });
      if (fitting.length > 0) return fitting.length === 1 ? fitting[0] : undefined;
    }
    return undefined;
  }
}

/**
 * Reads a dependency graph: `{services: {api: {depends_on: [db], namespace: prod}}}` as in Compose files,
 * `{nodes, edges}`, or a list of `{from, to}`, where `from` depends on `to`. A name may be `namespace/name`.
 * Throws `invalid` with the path of everything that is wrong.
 */
export function parseTopology(json: unknown): Topology {
  const draft: Draft = { entries: [], edges: [], errors: [] };
  read(draft, json);
  if (draft.errors.length > 0) {
    const [first] = draft.errors;
    const where = first?.path ? ` at ${first.path}` : "";
    throw new AwoooiError("invalid", `The dependency graph is not valid${where}: ${first?.message}`, {
      errors: draft.errors.slice(0, 100),
    });
  }
  const directory = new Directory();
  for (const { name, namespace, cluster } of draft.entries) directory.add({ name, namespace, cluster });
  const dependencies = new Map<number, Set<number>>();
  const end = (written: string, near: Entry | undefined) => {
    const [name = "", namespace = "", cluster = ""] = written.split("/").reverse();
    const own = { cluster: cluster || near?.cluster || "", namespace: namespace || near?.namespace || "" };
    const found = directory.find(name, own) ?? directory.find(name, { cluster, namespace });
    return found ?? directory.add({ name, namespace, cluster });
  };
  for (const { from, to, near } of draft.edges) {
    const [caller, callee] = [end(from, near), end(to, near)];
    if (caller === callee) continue;
    const list = dependencies.get(caller) ?? new Set();
    dependencies.set(caller, list.add(callee));
  }
  return {
    services: directory.services,
    dependencies: directory.services.map((_, index) => dependencies.get(index) ?? new Set()),
    has: (name) => directory.has(name),
    find: (name, scope) => directory.find(name, scope),
  };
}

/** The empty graph, where dependencies are unknown. */
export const NO_TOPOLOGY: Topology = {
  services: [],
  dependencies: [],
  has: () => false,
  find: () => undefined,
};

/** Returns everything that `from` needs, directly or indirectly, with its distance in steps, up to `most`. */
export function needs(topology: Topology, from: number, most: number): Map<number, number> {
  const found = new Map<number, number>();
  let front = [from];
  for (let hops = 1; hops <= most && front.length > 0; hops++) {
    const next: number[] = [];
    for (const one of front) {
      for (const other of topology.dependencies[one] ?? []) {
        if (other === from || found.has(other)) continue;
        found.set(other, hops);
        next.push(other);
      }
    }
    front = next;
  }
  return found;
}
