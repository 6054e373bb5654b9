/** What notices say of an alert that may keep it from being repaired by itself: texts of a set that only grows. Pure. */
import { clip } from "../lib/clip.ts";
import { affectedServices } from "./affected-services.ts";
import type { NormalisedAlert, SourceAlert } from "./types.ts";
import {
  exporterNamed,
  foldLabel,
  isOfOneRun,
  says,
  VOCABULARY,
  workloadOfJob,
  workloadOfPod,
  workloadOfReplicaSet,
} from "./vocabulary.ts";

/** What the texts of some alerts mean together. */
export type Narrowing = {
  /** Values of the label `auto_repair` that forbid it. */
  auto_repair: string[];
  categories: string[];
  notification_types: string[];
  services: string[];
  /** Machines that are named beside them: where a thing is, rather than what. */
  machines: string[];
  /** The same by their addresses. */
  addresses: string[];
  /** Not all that was said is known. */
  incomplete: boolean;
};

/** Whether an alert's label lets it be repaired without people: where it has none, or `true` in any case. */
export const allowsRepair = (label: string | null | undefined): boolean =>
  label == null || label.toLowerCase() === "true";

type Kind = "auto_repair" | "category" | "type" | "service" | "machine" | "address";

const INCOMPLETE = "incomplete";
/** Of one outage; what a sender says beyond is not known. */
export const MOST_NARROWS = 200;
// An entry of the service registry is shorter.
const LONGEST = 300;
const EXPORTED = /^exported_/;

/** The kind of object that a label names, by its folded name; `workload` of whatever kind. */
const NAMING = new Map([
  ...VOCABULARY.subject.flatMap(({ labels, kind, kind_label }) =>
    labels.map((label) => [label, kind_label.length > 0 ? "owner" : kind] as const),
  ),
  ["job", "workload"] as const,
]);
// Of others an address is no name.
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

/** The label that a name stands for; senders use few, again and again. */
function labelOf(name: string): string {
  const known = folded.get(name);
  if (known !== undefined) return known;
  const label = foldLabel(name).replace(EXPORTED, "");
  if (folded.size < MOST_LABELS) folded.set(name, label);
  return label;
}

const SCRAPER = new Set(VOCABULARY.scraper_labels);

const isAddress = (value: string) => value.includes(":") || /^\d/.test(value);

/** What one label names, each by itself: none may take away what another says. */
function namedBy(name: string, value: string): string[] {
  const label = labelOf(name);
  const kind = NAMING.get(label);
  if (kind === undefined || !says(label, value) || isOfOneRun(label, value)) return [];
  if (kind === "node" || kind === "host") {
    if (!isAddress(value)) return [text("machine", value)];
    const bare = value.replace(/^[a-z]+:\/\//, "").replace(/[:/].*$/, "");
    return [value, bare].map((one) => text("address", one));
  }
  // An exporter names what watches, not what is watched.
  if (SCRAPER.has(label) && exporterNamed(value, kind === "pod") !== undefined) return [];
  if (!ANYTHING.has(label) && isAddress(value)) return [];
  return [text("service", (WORKLOADS.get(kind) ?? String)(value))];
}

const forbids = ([name, value]: [string, string]) =>
  labelOf(name) === "auto_repair" && !allowsRepair(value) ? [text("auto_repair", value)] : [];

/** All that a notice says, by all its labels as they came; `alert` is what was understood of it. */
export function narrowsOf(
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
  return together(
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

/** Both sets; with as many as are kept, that there may be more is known by their number. */
export function together(some: readonly string[], others: readonly string[]): string[] {
  const all = new Set(some);
  for (const one of others) {
    if (all.size >= MOST_NARROWS) break;
    all.add(one);
  }
  return [...all];
}

/** What `some` lack of `others`. */
export function beyond(some: readonly string[], others: readonly string[]): string[] {
  const known = new Set(some);
  return others.filter((one) => !known.has(one));
}

/** What these texts say. */
export function narrowingOf(texts: readonly string[]): Narrowing {
  const of = (kind: Kind) =>
    texts.flatMap((one) => (one.startsWith(`${kind}=`) ? [one.slice(kind.length + 1)] : []));
  return {
    auto_repair: of("auto_repair"),
    categories: of("category"),
    notification_types: of("type"),
    services: of("service"),
    machines: of("machine"),
    addresses: of("address"),
    incomplete: texts.includes(INCOMPLETE) || texts.length >= MOST_NARROWS,
  };
}
