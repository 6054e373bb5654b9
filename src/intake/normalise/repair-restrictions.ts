/** Collects what notices say that may keep an alert from being repaired automatically: texts in a set that only grows. Pure. */
import { clip } from "../../lib/clip.ts";
import type { NormalisedAlert, SourceAlert } from "../types.ts";
import { affectedServices } from "./affected-services.ts";
import {
  exporterNamed,
  foldLabel,
  isMeaningful,
  isOfOneRun,
  VOCABULARY,
  workloadOfJob,
  workloadOfPod,
  workloadOfReplicaSet,
} from "./vocabulary.ts";

/** The combined meaning of the texts of some alerts. */
export type RepairRestriction = {
  /** Values of the label `auto_repair` that forbid automatic repair. */
  auto_repair: string[];
  categories: string[];
  notification_types: string[];
  services: string[];
  /** Machines named besides the services: where something runs, rather than what it is. */
  machines: string[];
  /** Addresses of such machines. */
  addresses: string[];
  /** Whether some of what senders reported was not read or not kept. */
  incomplete: boolean;
};

/** Returns whether the label `auto_repair` allows repair without people: it is missing, or `true` in upper or lower case. */
export const allowsRepair = (label: string | null | undefined): boolean =>
  label == null || label.toLowerCase() === "true";

type Kind = "auto_repair" | "category" | "type" | "service" | "machine" | "address";

const INCOMPLETE = "incomplete";
/** Most texts kept for one outage; further ones are dropped, and the set then counts as incomplete. */
export const MOST_RESTRICTIONS = 200;
// Longest value, in characters; an entry of the service registry is shorter.
const LONGEST = 300;
const EXPORTED = /^exported_/;

/** Maps folded label names to the kind of object that they name; `workload` is of any kind. */
const NAMING = new Map([
  ...VOCABULARY.subject.flatMap(({ labels, kind, kind_label }) =>
    labels.map((label) => [label, kind_label.length > 0 ? "owner" : kind] as const),
  ),
  ["job", "workload"] as const,
]);
// For other labels an address is not a name.
const ANYTHING = new Set(["component", "job"]);

const WORKLOADS = new Map([
  ["pod", workloadOfPod],
  ["job", workloadOfJob],
  ["replicaset", workloadOfReplicaSet],
  ["owner", workloadOfReplicaSet],
]);

const text = (kind: Kind, value: string) => `${kind}=${clip(value, LONGEST)}`;

const folded = new Map<string, string>();
const MOST_LABELS = 10_000;

/** Returns a label's folded name without `exported_`; cached, since senders use few names again and again. */
function labelOf(name: string): string {
  const known = folded.get(name);
  if (known !== undefined) return known;
  const label = foldLabel(name).replace(EXPORTED, "");
  if (folded.size < MOST_LABELS) folded.set(name, label);
  return label;
}

const SCRAPER = new Set(VOCABULARY.scraper_labels);

const isAddress = (value: string) => value.includes(":") || /^\d/.test(value);

/** Returns the texts for one label, judged by itself: no label may remove what another says. */
function namedBy(name: string, value: string): string[] {
  const label = labelOf(name);
  const kind = NAMING.get(label);
  if (kind === undefined || !isMeaningful(label, value) || isOfOneRun(label, value)) return [];
  if (kind === "node" || kind === "host") {
    if (!isAddress(value)) return [text("machine", value)];
    const bare = value.replace(/^[a-z]+:\/\//, "").replace(/[:/].*$/, "");
    return [value, bare].map((one) => text("address", one));
  }
  // A label that names an exporter names what observes, not what is observed.
  if (SCRAPER.has(label) && exporterNamed(value, kind === "pod") !== undefined) return [];
  if (!ANYTHING.has(label) && isAddress(value)) return [];
  return [text("service", (WORKLOADS.get(kind) ?? String)(value))];
}

const forbids = ([name, value]: [string, string]) =>
  labelOf(name) === "auto_repair" && !allowsRepair(value) ? [text("auto_repair", value)] : [];

/** Returns all such texts of a notice, from all its labels as they came; `alert` is the normalised alert. */
export function restrictionsOf(
  { labels, annotations, incomplete }: SourceAlert,
  alert: Pick<
    NormalisedAlert,
    | "labels"
    | "target_resource"
    | "alert_name"
    | "alert_type"
    | "generator_url"
    | "alert_category"
    | "notification_type"
  >,
): string[] {
  const { alert_category, notification_type } = alert;
  const forbidden = [...Object.entries(labels), ...Object.entries(annotations)].flatMap(forbids);
  return union(
    [
      ...(incomplete === true ? [INCOMPLETE] : []),
      ...forbidden.slice(0, 1),
      text("category", alert_category),
      text("type", notification_type),
    ],
    [
      ...affectedServices(alert).map((one) => text("service", one)),
      ...Object.entries(labels).flatMap(([name, value]) => namedBy(name, value)),
    ],
  );
}

/** Returns the union of both sets, cut at `MOST_RESTRICTIONS`; a set of that size counts as incomplete. */
export function union(some: readonly string[], others: readonly string[]): string[] {
  const all = new Set(some);
  for (const one of others) {
    if (all.size >= MOST_RESTRICTIONS) break;
    all.add(one);
  }
  return [...all];
}

/** Returns the texts of `others` that are not in `some`. */
export function difference(some: readonly string[], others: readonly string[]): string[] {
  const known = new Set(some);
  return others.filter((one) => !known.has(one));
}

/** Returns the meaning of these texts. */
export function parseRestrictions(texts: readonly string[]): RepairRestriction {
  const of = (kind: Kind) =>
    texts.flatMap((one) => (one.startsWith(`${kind}=`) ? [one.slice(kind.length + 1)] : []));
  return {
    auto_repair: of("auto_repair"),
    categories: of("category"),
    notification_types: of("type"),
    services: of("service"),
    machines: of("machine"),
    addresses: of("address"),
    incomplete: texts.includes(INCOMPLETE) || texts.length >= MOST_RESTRICTIONS,
  };
}
