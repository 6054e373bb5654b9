/** Finds the labels of an alert that a scraper or an exporter has added about itself: they do not describe the subject. Pure. */
import { hasWord, metricsOf, nameWords } from "./alert-words.ts";
import { type Exporter, exporterNamed, isNamedIn, VOCABULARY, workloadOfPod } from "./vocabulary.ts";

type LabelMap = ReadonlyMap<string, string>;
/** What identifies an alert besides its labels. */
export type NamedAlert = { alert_name: string; expr?: string | undefined };

/** Labels that do not describe the alert's subject, and why. */
export type IgnoredLabels = { labels: string[]; because: string };

export type OwnLabels = {
  /** The labels that describe the subject, under their own names: `exported_pod` is `pod`. */
  labels: Map<string, string>;
  ignored: IgnoredLabels[];
  /** What distinguishes alerts where no label names a subject: which exporter reports, and at which address. */
  reported: Record<string, string>;
  /** The address that a probe queries, where the alert gives one. */
  asked: string | undefined;
};

const EXPORTED = "exported_";
const SCRAPER = new Set(VOCABULARY.scraper_labels);
const SUBJECT = new Set(VOCABULARY.subject.flatMap((one) => one.labels));
/** Labels of a scraper whose values name the reporting program, the most reliable first. */
const NAMING = [
  "job",
  "service",
  "app_kubernetes_io_name",
  "app",
  "k8s_app",
  "component",
  "app_kubernetes_io_component",
  "container",
  "pod",
];
const PODS = ["pod", "pod_name", "kubernetes_pod_name"];
const KUBERNETES_KINDS = VOCABULARY.subject.filter(
  ({ kind }) => !["workload", "host", "node"].includes(kind),
);
const OF_KUBERNETES = new Set([
  ...VOCABULARY.namespace,
  ...KUBERNETES_KINDS.flatMap((one) => one.labels),
  "container",
  "endpoint",
]);

/** Returns whether any label name occurs only in alerts of Kubernetes. */
export const isOfKubernetes = (names: Iterable<string>): boolean =>
  [...names].some((name) => OF_KUBERNETES.has(name));

const ADDRESS = /^(\[[\da-f:]+\]|[\d.]+)(:\d+)?$/i;

/** Returns whether an address was chosen by a person to be probed, rather than being the address of the scraped target. */
const isChosen = (instance: string) =>
  instance.includes("://") || !(ADDRESS.test(instance) || /^localhost\b/.test(instance));

type Reporter = { exporter: Exporter; by: string; value: string };

/** Returns the collector or proxy that a value names; words may follow its name: `otelcol-contrib`, `traefik-public`. */
function forwarderNamed(value: string): Exporter | undefined {
  const found = exporterNamed(value, true);
  return found?.alone ? found : undefined;
}

/** Returns the exporter that reports the alert; a generic one (a job that scrapes anything) only where no label names another. */
function reporterOf(labels: LabelMap): Reporter | undefined {
  const scraped = labels.has("instance") || labels.has("endpoint") || labels.has("job");
  const found = NAMING.flatMap((by): Reporter[] => {
    const value = labels.get(by);
    const isPod = by === "container" || by === "pod";
    // Without scrape labels (as after aggregation) the scraper is unknown: `pod` and `container` are then the subject's.
    if (value === undefined || (isPod && !scraped)) return [];
    const exporter = exporterNamed(value) ?? forwarderNamed(value);
    return exporter === undefined ? [] : [{ exporter, by, value }];
  });
  return found.find(({ exporter }) => !exporter.generic) ?? found[0];
}

/** Returns whether the alert is about the exporter itself, or about scraping. */
function isAbout({ exporter }: Reporter, { alert_name, expr }: NamedAlert): boolean {
  const words = nameWords(alert_name);
  if (isNamedIn(exporter, alert_name)) return true;
  // For exporters of machines and probes the subject is the machine or probed address, which does not answer or cannot be read.
  if (exporter.instance !== "self") return false;
  if (VOCABULARY.about_scraping.some((word) => hasWord(words, word))) return true;
  if (VOCABULARY.about_scraping_names.some((start) => words.text.startsWith(start))) return true;
  const metrics = metricsOf(expr ?? "").filter((metric) => metric.includes("_") || metric === "up");
  return metrics.length > 0 && metrics.every((metric) => metric === "up" || metric.startsWith("scrape_"));
}

/** Returns whether a pod is the reporter's own rather than the one it reports on: an exporter may run beside what it observes. */
function isOwnPod(pod: string, { exporter, value }: Reporter, aboutPods: boolean): boolean {
  const named = exporterNamed(pod, true);
  if (exporter.pods === "subject") return named === exporter && !aboutPods;
  return named !== undefined || pod.startsWith(workloadOfPod(value));
}

/** Returns which of the scraper's labels describe the reporter itself. */
function reportersOwn(labels: LabelMap, reporter: Reporter, aboutPods: boolean): string[] {
  const { exporter } = reporter;
  const ownPod = PODS.some((name) => {
    const pod = labels.get(name);
    return pod !== undefined && isOwnPod(pod, reporter, aboutPods);
  });
  const inKubernetes = isOfKubernetes(labels.keys());
  const isOwn = (name: string, text: string): boolean => {
    if (name.includes("namespace")) return exporter.namespace === "self" && (ownPod || !labels.has("pod"));
    if (name === "instance")
      return exporter.instance === "self" && !isChosen(text) && (inKubernetes || exporter.pods === "subject");
    if (name === "endpoint") return true;
    if (name.includes("pod")) return ownPod;
    if (name.includes("container")) return ownPod || exporterNamed(text) === exporter;
    return exporterNamed(text) !== undefined;
  };
  const own = [...SCRAPER].filter((name) => {
    const text = labels.get(name);
    return text !== undefined && isOwn(name, text);
  });
  // The label of the reporter's own Helm release.
  const release = "app_kubernetes_io_instance";
  return own.includes("app_kubernetes_io_name") && labels.has(release) ? [...own, release] : own;
}

const without = (labels: LabelMap, names: readonly string[]) =>
  new Map([...labels].filter(([name]) => !names.includes(name)));

/** Returns the subject's `exported_X` labels (Prometheus renames a series' own X so), without those that name an exporter. */
function promoted(labels: LabelMap): string[] {
  return [...labels].flatMap(([name, value]) => {
    const own = name.startsWith(EXPORTED) ? name.slice(EXPORTED.length) : "";
    const isOfSubject = SCRAPER.has(own) || SUBJECT.has(own);
    return isOfSubject && (own.includes("namespace") || exporterNamed(value) === undefined) ? [name] : [];
  });
}

const listed = (names: readonly string[]) => names.map((name) => `\`${name}\``).join(", ");

/**
 * Separates the labels of the subject from the reporter's. `names`: whether labels name a subject; a proxy or a controller is
 * itself the subject where no other is named. `renames`: whether any label of the series was renamed to `exported_…`, even an
 * empty one.
 */
export function ownLabels(
  all: LabelMap,
  about: NamedAlert,
  { names, renames }: { names: (labels: LabelMap) => boolean; renames: boolean },
): OwnLabels {
  const words = nameWords(about.alert_name);
  const aboutPods = !renames && VOCABULARY.about_pods.some((word) => hasWord(words, word));
  const exported = promoted(all);
  const reporter = reporterOf(all);
  const untouched = { labels: new Map(all), ignored: [], reported: {}, asked: undefined };
  if (exported.length === 0 && (reporter === undefined || isAbout(reporter, about))) return untouched;
  const renamed = exported.map((name) => name.slice(EXPORTED.length));
  const bare = without(all, [...exported, ...renamed]);
  // Where labels of the series were renamed, the remaining scraper labels are the scraper's own, except for exporters whose pod
  // labels name the subject.
  const tellsPods = reporter?.exporter.pods === "subject";
  const own =
    reporter === undefined || (exported.length > 0 && !tellsPods)
      ? [...bare.keys()].filter((name) => SCRAPER.has(name))
      : reportersOwn(bare, reporter, aboutPods);
  const labels = without(bare, own);
  for (const name of exported) labels.set(name.slice(EXPORTED.length), all.get(name) ?? "");
  if (exported.length === 0 && reporter?.exporter.alone && !names(labels) && !labels.has("name"))
    return untouched;
  const dropped = [...renamed.filter((name) => all.has(name)), ...own];
  const because =
    exported.length > 0
      ? `${listed(exported)} ${exported.length === 1 ? "is" : "are"} the subject's own`
      : `the alert is reported by ${workloadOfPod(reporter?.value ?? "")} (label \`${reporter?.by}\`), and not about it`;
  return {
    labels,
    ignored: dropped.length === 0 ? [] : [{ labels: dropped, because }],
    reported: reporter === undefined ? {} : reportedBy(all, own, reporter.exporter),
    asked: reporter === undefined ? undefined : askedBy(labels, reporter.exporter),
  };
}

/** Returns the labels that tell exporters of one kind apart, without those that change: the pod, and some addresses. */
function reportedBy(all: LabelMap, own: readonly string[], exporter: Exporter): Record<string, string> {
  if (exporter.namespace === "subject") return {};
  const telling = exporter.alone ? ["job", "service"] : ["job", "service", "instance"];
  const kept = telling.filter((name) => own.includes(name));
  return Object.fromEntries(kept.map((name) => [`scraper_${name}`, all.get(name) ?? ""]));
}

function askedBy(labels: LabelMap, exporter: Exporter): string | undefined {
  const instance = labels.get("instance");
  if (instance === undefined || exporter.instance === "machine") return undefined;
  return exporter.instance === "probed" || isChosen(instance) ? instance : undefined;
}
