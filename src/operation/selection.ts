import type { z } from "zod";
import type { OperationTarget } from "../contract/incident.ts";
import { clusterOptions, flag, option } from "./manual-command.ts";
import { selection } from "./names.ts";
import { targetInWords } from "./words.ts";

type Selection = z.output<typeof selection>;
type Selecting = { target: OperationTarget | null; parameters: Selection };

/** Returns whether a read names either one object or a selection, but not both. */
export const oneOrSelected = ({ target, parameters }: { target: unknown; parameters: Selection }): boolean =>
  target === null
    ? parameters.resource !== undefined
    : Object.keys(selection.shape).every((field) => !(field in parameters));
export const ONE_OR_SELECTION =
  "reads either one object by its name, or what a resource and its selectors pick";

/** Describes what is read. */
export function readInWords({ target, parameters }: Selecting): string {
  if (target !== null) return targetInWords(target);
  const { resource, namespace, all_namespaces, selector, cluster } = parameters;
  const place = all_namespaces ? "every namespace" : (namespace ?? cluster);
  const which = selector === undefined ? "" : ` with ${selector}`;
  return `${resource}${which}${place === undefined ? "" : ` in ${place}`}`;
}

/** Returns the words of `kubectl VERB` for a read; `one` formats an object, `all` a resource. */
export function kubectlReadWords(
  verb: string,
  { target, parameters }: Selecting,
  {
    one = ({ kind, name }: OperationTarget) => [`${kind}/${name}`],
    all = (resource: string) => [resource],
  }: { one?: (target: OperationTarget) => string[]; all?: (resource: string) => string[] } = {},
): string[] {
  const { resource = "", selector, field_selector, all_namespaces } = parameters;
  return [
    ...["kubectl", verb],
    ...(target === null ? all(resource) : one(target)),
    ...clusterOptions(target ?? parameters),
    ...flag("all-namespaces", all_namespaces),
    ...option("selector", selector),
    ...option("field-selector", field_selector),
  ];
}
