/** One reading of a name: an object's name, with the namespace if the name contains it. */
export type Spelling = { name: string; namespace?: string };

// RFC 1123, which Kubernetes requires: no object can have any other name.
const NAME = /^[a-z0-9]([-.a-z0-9]{0,251}[a-z0-9])?$/;
const LABEL = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;

export const isObjectName = (name: string): boolean => NAME.test(name);
/** Checks a namespace's name: `..` in a URL would lead elsewhere. */
export const isNamespaceName = (name: string): boolean => LABEL.test(name);
const isLabel = (text: string | undefined): text is string => text !== undefined && LABEL.test(text);

/** Tells whether a label may have this value, so that it is safe in a selector. */
export const isLabelValue = (value: string): boolean => /^[A-Za-z0-9]([-\w.]{0,61}[A-Za-z0-9])?$/.test(value);

const withoutPort = (name: string) => name.replace(/:\d{1,5}$/, "");

/** Parses `NAME.NAMESPACE.svc.cluster.local` and its shorter forms, with or without a pod's name before it. */
function asDnsName(parts: readonly string[]): Spelling | undefined {
  const at = parts.lastIndexOf("svc");
  // `svc` must follow a name and a namespace.
  const [name, namespace] = at < 2 ? [] : parts.slice(at - 2, at);
  return isLabel(name) && isLabel(namespace) ? { name, namespace } : undefined;
}

/**
 * Returns the readings of a service's or workload's name as senders write it: the name itself, `namespace/name`, or a
 * DNS name. Only spaces around it, its case and a port are dropped. Pure.
 */
export function spellingsOf(said: string, namespace?: string): Spelling[] {
  const name = withoutPort(said.trim().toLowerCase().slice(0, 300));
  const inPlace = (one: string): Spelling =>
    namespace === undefined ? { name: one } : { name: one, namespace };
  const [first, second, ...more] = name.split("/");
  if (second !== undefined)
    return more.length === 0 && isLabel(first) && isObjectName(second)
      ? [{ name: second, namespace: first }]
      : [];
  if (!isObjectName(name)) return [];
  const parts = name.split(".");
  const dns = asDnsName(parts);
  if (dns !== undefined) return [dns];
  const [own, where] = parts;
  // `a.b` may be a workload's name or NAME.NAMESPACE; only the former if the alert names another namespace than `b`.
  const short = parts.length === 2 && isLabel(own) && isLabel(where) && (namespace ?? where) === where;
  return [inPlace(name), ...(short ? [{ name: own, namespace: where }] : [])];
}

/** Returns an equal key for names that differ only in case and `-`, `_`, `.`: to show candidates, never to act on. */
export const folded = (name: string): string => name.toLowerCase().replaceAll(/[-_.]/g, "");
