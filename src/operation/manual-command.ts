/** Returns `--name=value`; nothing when there is no value. */
export const option = (name: string, value: string | number | undefined): string[] =>
  value === undefined ? [] : [`--${name}=${value}`];
export const flag = (name: string, set: boolean | undefined): string[] => (set === true ? [`--${name}`] : []);

type InCluster = { namespace?: string | undefined; cluster?: string | undefined };
/** Returns the `kubectl` options for namespace and context. */
export const clusterOptions = ({ namespace, cluster }: InCluster): string[] => [
  ...(namespace === undefined ? [] : ["-n", namespace]),
  ...option("context", cluster),
];

/** Returns `kubectl VERB kind/name` with the verb's other arguments. */
export const kubectl = (
  verb: readonly string[],
  target: InCluster & { kind: string; name: string },
  more: readonly string[] = [],
): string[] => ["kubectl", ...verb, `${target.kind}/${target.name}`, ...clusterOptions(target), ...more];

/** Returns a command on a host, through ssh unless the host is `localhost`. */
export const onHost = (host: string, ...words: string[]): string[] =>
  host === "localhost" ? words : ["ssh", host, ...words];

export const pairs = (all: Readonly<Record<string, string | undefined>>): string[] =>
  Object.entries(all).map(([name, value]) => `${name}=${value}`);
