/** What a name may say: of an object, in its own namespace where it has one with it. */
export type Spelling = { name: string; namespace?: string };

// RFC 1123, as Kubernetes asks for: what is none of these can be the name of nothing.
const NAME = /^[a-z0-9]([-.a-z0-9]{0,251}[a-z0-9])?$/;
const LABEL = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;

export const isObjectName = (name: string): boolean => NAME.test(name);
/** Also of a namespace: `..` in an address would lead elsewhere. */
export const isNamespaceName = (name: string): boolean => LABEL.test(name);
const isLabel = (text: string | undefined): text is string => text !== undefined && LABEL.test(text);

/** A value that a label may have, as selectors take it. */
export const isLabelValue = (value: string): boolean => /^[A-Za-z0-9]([-\w.]{0,61}[A-Za-z0-9])?$/.test(value);

const withoutPort = (name: string) => name.replace(/:\d{1,5}$/, "");

/** `svc.namespace.svc.cluster.local` and its shorter forms, with a pod's name before it or not. */
function asDnsName(parts: readonly string[]): Spelling | undefined {
  const at = parts.lastIndexOf("svc");
  // A name that begins with it is no service's.
  const [name, namespace] = at < 2 ? [] : parts.slice(at - 2, at);
  return isLabel(name) && isLabel(namespace) ? { name, namespace } : undefined;
}

/**
 * What a name of a service or workload may mean, in any of the spellings that senders have: the name itself,
 * `namespace/name`, or a DNS name. Only the case is changed. Pure.
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
  // A name of two parts may be a workload's, too. Where the alert names another namespace it is only that.
  const short = parts.length === 2 && isLabel(own) && isLabel(where) && (namespace ?? where) === where;
  return [inPlace(name), ...(short ? [{ name: own, namespace: where }] : [])];
}

/** The same for names that differ in case and in `-`, `_` and `.` only: enough to be shown, never to be acted on. */
export const folded = (name: string): string => name.toLowerCase().replaceAll(/[-_.]/g, "");
