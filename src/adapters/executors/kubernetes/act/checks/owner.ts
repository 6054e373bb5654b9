import type { Check } from "../../../../../contract/approval.ts";
import { plain } from "../../cluster/failure.ts";
import { controllerOf, type Meta } from "../../cluster/objects.ts";

const MARKS: readonly [RegExp, string][] = [
  [/^(argocd\.argoproj\.io\/(instance|tracking-id))$/, "Argo CD"],
  [/^kustomize\.toolkit\.fluxcd\.io\/name$/, "Flux"],
  [/^helm\.toolkit\.fluxcd\.io\/name$/, "Flux (Helm)"],
  [/^fleet\.cattle\.io\/bundle-id$/, "Fleet"],
  [/^meta\.helm\.sh\/release-name$/, "Helm"],
];
/** These tools reconcile continuously; the others change an object only when a person runs them. */
const RECONCILES = /Argo CD|Flux|Fleet/;

/** Returns a note if a controller or deployment tool manages the object and may revert a change of it. */
export function ownerCheck(metadata: Meta): Check | undefined {
  const name = "managed elsewhere";
  const controller = controllerOf(metadata);
  if (controller !== undefined) {
    const by = `${controller.kind} ${plain(controller.name, 253)}`;
    return { name, passed: true, message: `it belongs to ${by}, whose controller may revert the change` };
  }
  const all = { ...metadata.labels, ...metadata.annotations };
  for (const [pattern, tool] of MARKS) {
    const key = Object.keys(all).find((one) => pattern.test(one));
    if (key === undefined) continue;
    const whose = `${tool} (${plain(all[key] ?? "", 100)})`;
    const message = RECONCILES.test(tool)
      ? `it comes from ${whose}, which may soon revert the change: change it there, too`
      : `it comes from ${whose}, whose next release will revert the change: change it there, too`;
    return { name, passed: true, message };
  }
  const by = all["app.kubernetes.io/managed-by"];
  if (by === undefined) return undefined;
  return { name, passed: true, message: `it is managed by ${plain(by, 63)}, which may revert the change` };
}
