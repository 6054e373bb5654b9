import type { Log } from "../../../../lib/log.ts";
import { type HostConfig, hostConfigs, type SshConfig } from "../config.ts";
import { Host } from "./host.ts";
import { Pool } from "./pool.ts";

/** Returns the route to a host: its jump hosts in order, then itself. */
export function routeTo(name: string, all: ReadonlyMap<string, HostConfig>): HostConfig[] {
  const host = all.get(name);
  if (host === undefined) return [];
  return host.jump === undefined ? [host] : [...routeTo(host.jump, all), host];
}

/** The configured hosts. */
export class Hosts {
  readonly names: readonly string[];
  readonly #byName: ReadonlyMap<string, Host>;
  readonly #pool: Pool;
  readonly #routes: ReadonlyMap<string, HostConfig[]>;

  constructor(config: SshConfig, log: Log) {
    const configs = new Map(hostConfigs(config).map((one) => [one.name, one]));
    const routes = new Map([...configs.keys()].map((name) => [name, routeTo(name, configs)]));
    this.#routes = routes;
    this.#pool = new Pool(routes, config, log);
    const byName = new Map<string, Host>();
    const hosts = [...configs.values()].map((one) => new Host(one, config, this.#pool));
    // A name takes precedence over an alias, an alias over an address. A shared address finds no host.
    for (const host of hosts) byName.set(host.name.toLowerCase(), host);
    for (const host of hosts) {
      for (const alias of host.config.aliases) byName.set(alias.toLowerCase(), host);
    }
    for (const host of hosts) {
      const address = host.config.address.toLowerCase();
      const shared = hosts.filter((one) => one.config.address.toLowerCase() === address).length > 1;
      if (!shared && !byName.has(address)) byName.set(address, host);
    }
    this.#byName = byName;
    this.names = [...configs.keys()];
  }

  /** Returns the machines on the way to a host, itself last, as configured. */
  wayTo(name: string): { address: string; port: number; user: string }[] {
    return (this.#routes.get(name) ?? []).map(({ address, port, user }) => ({ address, port, user }));
  }

  /** Finds a host by its name, an alias or its address, ignoring case. */
  find(name: string): Host | undefined {
    return this.#byName.get(name.toLowerCase());
  }

  retire(): void {
    this.#pool.retire();
  }

  close(): Promise<void> {
    return this.#pool.close();
  }
}
