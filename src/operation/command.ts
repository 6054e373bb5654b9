/** An option of a command; nothing where it has no value. */
export const option = (name: string, value: string | number | undefined): string[] =>
  value === undefined ? [] : [`--${name}=${value}`];
export const flag = (name: string, set: boolean | undefined): string[] => (set === true ? [`--${name}`] : []);

type Place = { namespace?: string | undefined; cluster?: string | undefined };
/** Where `kubectl` finds it. */
export const at = ({ namespace, cluster }: Place): string[] => [
  ...(namespace === undefined ? [] : ["-n", namespace]),
  ...option("context", cluster),
];

/** `kubectl VERB kind/name`, with what else the verb takes. */
export const kubectl = (
  verb: readonly string[],
  target: Place & { kind: string; name: string },
  more: readonly string[] = [],
): string[] => ["kubectl", ...verb, `${target.kind}/${target.name}`, ...at(target), ...more];

/** A command on a host. A name that ssh takes for this machine needs no ssh. */
export const onHost = (host: string, ...words: string[]): string[] =>
  host === "localhost" ? words : ["ssh", host, ...words];

export const pairs = (all: Readonly<Record<string, string | undefined>>): string[] =>
  Object.entries(all).map(([name, value]) => `${name}=${value}`);
