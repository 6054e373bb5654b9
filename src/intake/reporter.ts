/** Which labels of an alert a scraper or an exporter has put on it: those say nothing of what it is about. Pure. */
import { hasWord, metricsOf, wordsOf } from "./alert-words.ts";
import { type Exporter, exporterNamed, isNamedIn, VOCABULARY, workloadOfPod } from "./vocabulary.ts";

type LabelMap = ReadonlyMap<string, string>;
/** What of an alert its labels do not say. */
export type Named = { alert_name: string; expr?: string | undefined };

/** Labels that say nothing of what the alert is about, and why. */
export type IgnoredLabels = { labels: string[]; because: string };

export type OwnLabels = {
  /** The labels that are about the subject, under their own names: `exported_pod` is `pod`. */
  labels: Map<string, string>;
  ignored: IgnoredLabels[];
  /** What tells alerts apart where no label names a subject: which exporter reports, and of which address. */
  reported: Record<string, string>;
  /** The address that a probe asks, where the alert says one. */
  asked: string | undefined;
};

const EXPORTED = "exported_";
const SCRAPER = new Set(VOCABULARY.scraper_labels);
const SUBJECT = new Set(VOCABULARY.subject.flatMap((one) => one.labels));
/** Labels of a scraper whose values name the program that reports, the most telling first. */
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

/** Whether a label is there that only alerts of Kubernetes have. */
export const isOfKubernetes = (names: Iterable<string>): boolean =>
  [...names].some((name) => OF_KUBERNETES.has(name));

const ADDRESS = /^(\[[\da-f:]+\]|[\d.]+)(:\d+)?$/i;

/** Whether an address is one that somebody chose to ask, rather than that of what was scraped. */
const isChosen = (instance: string) =>
  instance.includes("://") || !(ADDRESS.test(instance) || /^localhost\b/.test(instance));

type Reporter = { exporter: Exporter; by: string; value: string };

/** Collectors and proxies have names of their own behind their products': `otelcol-contrib`, `traefik-public`. */
function passingOn(value: string): Exporter | undefined {
  const found = exporterNamed(value, true);
  return found?.alone ? found : undefined;
}

/** Who reports; a job that scrapes whatever is there only where nothing else says it. */
function reporterOf(labels: LabelMap): Reporter | undefined {
  const scraped = labels.has("instance") || labels.has("endpoint") || labels.has("job");
  const found = NAMING.flatMap((by): Reporter[] => {
    const value = labels.get(by);
    const isPod = by === "container" || by === "pod";
    // Aggregated by pod and container, nothing says who scraped it: these are then the subject's.
    if (value === undefined || (isPod && !scraped)) return [];
    const exporter = exporterNamed(value) ?? passingOn(value);
    return exporter === undefined ? [] : [{ exporter, by, value }];
  });
  return found.find(({ exporter }) => !exporter.generic) ?? found[0];
}

/** Whether the alert is about the exporter itself, or about being scraped. */
function isAbout({ exporter }: Reporter, { alert_name, expr }: Named): boolean {
  const words = wordsOf(alert_name);
  if (isNamedIn(exporter, alert_name)) return true;
  // Of a machine or of what is probed, it is that which does not answer or cannot be read.
  if (exporter.instance !== "self") return false;
  if (VOCABULARY.about_scraping.some((word) => hasWord(words, word))) return true;
  if (VOCABULARY.about_scraping_names.some((start) => words.text.startsWith(start))) return true;
  const metrics = metricsOf(expr ?? "").filter((metric) => metric.includes("_") || metric === "up");
  return metrics.length > 0 && metrics.every((metric) => metric === "up" || metric.startsWith("scrape_"));
}

/** Whether a pod is the reporter's own, or the one that it tells of: an exporter may be beside what it looks at. */
function isOwnPod(pod: string, { exporter, value }: Reporter, aboutPods: boolean): boolean {
  const named = exporterNamed(pod, true);
  if (exporter.pods === "subject") return named === exporter && !aboutPods;
  return named !== undefined || pod.startsWith(workloadOfPod(value));
}

/** Which of the scraper's labels are the reporter's. */
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
  // The release that it was installed with.
  const release = "app_kubernetes_io_instance";
  return own.includes("app_kubernetes_io_name") && labels.has(release) ? [...own, release] : own;
}

const without = (labels: LabelMap, names: readonly string[]) =>
  new Map([...labels].filter(([name]) => !names.includes(name)));

/** `exported_X` is what the series says of X, unless that is what reports too. */
function promoted(labels: LabelMap): string[] {
  return [...labels].flatMap(([name, value]) => {
    const own = name.startsWith(EXPORTED) ? name.slice(EXPORTED.length) : "";
    const isOfSubject = SCRAPER.has(own) || SUBJECT.has(own);
    return isOfSubject && (own.includes("namespace") || exporterNamed(value) === undefined) ? [name] : [];
  });
}

const listed = (names: readonly string[]) => names.map((name) => `\`${name}\``).join(", ");

/**
 * The labels that are about the subject. `names`: whether labels name one; a proxy or a controller is the subject
 * itself where no other is named. `renames`: whether labels of the series had to be renamed, also to say nothing.
 */
export function ownLabels(
  all: LabelMap,
  about: Named,
  { names, renames }: { names: (labels: LabelMap) => boolean; renames: boolean },
): OwnLabels {
  const words = wordsOf(about.alert_name);
  const aboutPods = !renames && VOCABULARY.about_pods.some((word) => hasWord(words, word));
  const exported = promoted(all);
  const reporter = reporterOf(all);
  const untouched = { labels: new Map(all), ignored: [], reported: {}, asked: undefined };
  if (exported.length === 0 && (reporter === undefined || isAbout(reporter, about))) return untouched;
  const renamed = exported.map((name) => name.slice(EXPORTED.length));
  const bare = without(all, [...exported, ...renamed]);
  // Where the series has labels that had to be renamed, the others of these are the scraper's; but for those of
  // exporters which are believed.
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

/** Of an exporter that reports on one thing: which of them it is. Its pod, and of some its address, come and go. */
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
