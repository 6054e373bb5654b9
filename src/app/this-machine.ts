import { hostname, networkInterfaces } from "node:os";

/** Returns whether a host name (with or without domain) or IP address is this machine's at present. */
export function isThisMachine(host: string): boolean {
  const own = hostname().toLowerCase();
  const asked = host.toLowerCase();
  // The domain may be missing on either side, but two different domains are two machines.
  const byName = asked === own || asked === own.split(".")[0] || asked.split(".")[0] === own;
  return (
    byName ||
    Object.values(networkInterfaces())
      .flatMap((list) => list ?? [])
      .some(({ address }) => address === host)
  );
}
