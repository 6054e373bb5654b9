import type { Executor } from "../../../execution/index.ts";
import type { Investigator } from "../../../investigation/index.ts";
import { KeyedMutex } from "../../../lib/keyed-mutex.ts";
import type { Log } from "../../../lib/log.ts";
import type { Observer } from "../../../verification/index.ts";
import { hostConfigs, type SshConfig, sshConfig } from "./config.ts";
import { Hosts } from "./connection/hosts.ts";
import { createExecutor } from "./executor.ts";
import { createInvestigator } from "./facts/investigator.ts";
import { createObserver } from "./observer.ts";
import { sshProblems } from "./problems.ts";

/** The ports for hosts that are reached over SSH. */
export type SshHosts = {
  executor: Executor;
  observer: Observer;
  investigator: Investigator;
  /** Call when another configuration is in force: closes each connection as soon as it is unused. */
  retire(): void;
  /** Ends all connections. */
  close(): Promise<void>;
};

type Deps = {
  log: Log;
  /** Serialises changes by host, shared with executors of earlier configurations. */
  mutex?: KeyedMutex;
};

function create(config: SshConfig, { log, mutex = new KeyedMutex() }: Deps): SshHosts {
  for (const { path, message } of sshProblems(config)) log.warn({ setting: `ssh.${path}` }, message);
  const hosts = new Hosts(config, log);
  return {
    executor: createExecutor(hosts, mutex),
    observer: createObserver(hosts),
    investigator: createInvestigator(hosts),
    retire: () => hosts.retire(),
    close: () => hosts.close(),
  };
}

/** Returns each host with all names that alerts may use for it. */
function namesOf(config: SshConfig): { name: string; names: string[] }[] {
  const all = hostConfigs(config);
  const shared = (address: string) => all.filter((one) => one.address === address).length > 1;
  return all.map(({ name, aliases, address }) => ({
    name,
    names: [name, ...aliases, ...(shared(address) ? [] : [address])],
  }));
}

const DESCRIPTION =
  "hosts that AWOOOI reads and changes over SSH; without hosts it offers no such operation; keys, secrets and known_hosts are read again for each connection";

/** Acts on hosts over SSH, observes and investigates them. */
export const ssh = {
  id: "ssh",
  settings: { path: "ssh", schema: sshConfig.prefault({}).describe(DESCRIPTION) },
  problems: sshProblems,
  names: (config: SshConfig) => ({ hosts: namesOf(config) }),
  /** Returns null when no host is configured. */
  create: (config: SshConfig, deps: Deps): SshHosts | null =>
    config.hosts.length === 0 ? null : create(config, deps),
};
