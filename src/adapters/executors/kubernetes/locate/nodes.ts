import { HAS_THIS_NAME, type Hit, MOST_ENTRIES, type NamedObject, type Search } from "./search.ts";
import { isObjectName } from "./spellings.ts";

type Node = NamedObject & { status?: { addresses?: { type: string; address: string }[] } };
type Page = { items: Node[] | null; metadata?: { continue?: string } };
// 2,000 nodes, which must all be listed, because nodes cannot be selected by address.
const MOST_PAGES = 4;

/** Finds nodes by address, by listing them: there is no selector for addresses. */
async function byAddress(search: Search, address: string): Promise<Hit[]> {
  const found: Hit[] = [];
  let next = "";
  for (let page = 0; page < MOST_PAGES; page += 1) {
    const query = { limit: MOST_ENTRIES, ...(next === "" ? {} : { continue: next }) };
    const list = await search.ask<Page>("nodes", "list nodes", "/api/v1/nodes", query);
    if (list === undefined) return found;
    for (const { metadata, status } of list.items ?? []) {
      const own = status?.addresses?.find((one) => one.address.toLowerCase() === address);
      if (own !== undefined)
        found.push({ kind: "node", name: metadata.name, reason: `its ${own.type} is ${own.address}` });
    }
    next = list.metadata?.continue ?? "";
    if (next === "") return found;
  }
  search.unread.add(`nodes: only the first ${MOST_PAGES * MOST_ENTRIES} were read`);
  return found;
}

/** Finds the nodes that a host name or address means: by node name, else by the nodes' addresses. */
export async function nodesOf(search: Search, said: string): Promise<Hit[]> {
  // The pattern does not take the last part of an IPv6 address for a port.
  const name = said
    .trim()
    .toLowerCase()
    .slice(0, 300)
    .replace(/^([^:]+):\d{1,5}$/, "$1");
  if (name === "" || name.length > 253) return [];
  if (isObjectName(name)) {
    const path = `/api/v1/nodes/${encodeURIComponent(name)}`;
    const node = await search.ask<Node>("nodes", "get nodes", path);
    if (node !== undefined) return [{ kind: "node", name, reason: HAS_THIS_NAME }];
  }
  return byAddress(search, name);
}
