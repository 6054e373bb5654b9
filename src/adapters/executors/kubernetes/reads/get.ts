import type { Cluster } from "../cluster/client.ts";
import { pathOfResource, type ResourceRef } from "./resource.ts";
import { beginningOf, table } from "./text.ts";

type Table = {
  columnDefinitions: { name: string; priority?: number }[];
  rows?: { cells: unknown[]; object?: { metadata?: { namespace?: string } } }[];
};

const MAX_ROWS = 200;

/** Returns a table with the columns that the API server defines for `kubectl get`. */
export async function getText(cluster: Cluster, where: ResourceRef): Promise<string> {
  const { columnDefinitions, rows = [] } = await cluster.raw<Table>({
    path: pathOfResource(where),
    query: where.name === undefined ? { ...where.query, limit: MAX_ROWS } : {},
    accept: "application/json;as=Table;g=meta.k8s.io;v=v1",
  });
  if (rows.length === 0) return "nothing found";
  const everywhere = where.resource.namespaced && where.namespace === undefined;
  const shown = columnDefinitions.flatMap(({ priority = 0 }, index) => (priority === 0 ? [index] : []));
  const first = [
    ...(everywhere ? ["NAMESPACE"] : []),
    ...shown.map((index) => columnDefinitions[index]?.name.toUpperCase() ?? ""),
  ];
  const lines = rows.map(({ cells, object }) => [
    ...(everywhere ? [object?.metadata?.namespace ?? ""] : []),
    ...shown.map((index) => String(cells[index] ?? "")),
  ]);
  return beginningOf(table([first, ...lines]));
}
