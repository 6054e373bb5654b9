import { hostname, networkInterfaces } from "node:os";

/** Whether a name or an address is this machine's, as of now: its host name, with its domain or without, and its addresses. */
export function isThisMachine(host: string): boolean {
  const own = hostname().toLowerCase();
  const asked = host.toLowerCase();
  // With different domains they are different machines.
  const byName = asked === own || asked === own.split(".")[0] || asked.split(".")[0] === own;
  return (
    byName ||
    Object.values(networkInterfaces())
      .flatMap((list) => list ?? [])
      .some(({ address }) => address === host)
  );
}
