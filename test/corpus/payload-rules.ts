/**
 * What a body should come to, by rules that know no vendor: only which names fields commonly have. They are
 * written without looking at what adapters do, and are wrong where a vendor's field means something else.
 */
type Json = unknown;
type Tree = Record<string, Json>;
export type Expected = { status: string; severity: string | null; targets: string[] };

const isTree = (value: Json): value is Tree =>
  value !== null && typeof value === "object" && !Array.isArray(value);

/** The values of fields whose names fit, the shallowest first; also of lists of `{key, value}`. */
function valuesOf(root: Json, name: RegExp): string[] {
  const found: Json[] = [];
  for (let level: Json[] = [root]; level.length > 0; ) {
    for (const tree of level.filter(isTree)) {
      for (const [key, value] of Object.entries(tree)) if (name.test(key)) found.push(value);
      if (typeof tree.key === "string" && name.test(tree.key)) found.push(tree.value);
    }
    level = level.flatMap((node) => (typeof node === "object" && node !== null ? Object.values(node) : []));
  }
  return found
    .flatMap((value) => (typeof value === "string" || typeof value === "number" ? `${value}` : []))
    .filter(Boolean);
}
const exactly = (name: string) => new RegExp(`^${name}$`);
const firstOf = (root: Json, names: readonly string[]) =>
  names.flatMap((name) => valuesOf(root, exactly(name)))[0];

/**
 * Alerts: what the first list called `alerts` or `messages` holds, at the top or one below, else what `alert` holds;
 * else the body is one.
 */
function alertsIn(body: Json): Tree[] {
  const places = isTree(body) ? [body, ...Object.values(body).filter(isTree)] : [];
  const list = places.map((place) => place.alerts ?? place.messages).find(Array.isArray);
  const one = isTree(body) && isTree(body.alert) ? body.alert : body;
  return (list ?? [one]).filter(isTree);
}

const STATUS = ["status", "state", "NewStateValue", "current_state", "alert_action", "action", "eventType"];
const OVER = /^(resolved?|ok|close[d]?|clear(ed)?|recovered|up|.*_clear|cancell?ed)$/i;

function statusOf(alert: Tree, body: Json, vendor: string): string {
  // LibreNMS numbers its states; its `status` is the device's.
  if (vendor === "librenms") return alert.state === "0" ? "resolved" : "firing";
  const word = firstOf(alert, STATUS) ?? (alert === body ? undefined : firstOf(body, STATUS));
  return word !== undefined && OVER.test(word) ? "resolved" : "firing";
}

const SEVERITY = ["severity", "priority", "Priority", "level", "criticality", "importance_level"];
const LEVELS: readonly [RegExp, string][] = [
  [/critical$|^p1$|^fatal$/i, "P0"],
  [/^(high|error|p2)$/i, "P1"],
  [/warn(ing)?$|^(medium|minor|p3)$/i, "P2"],
  [/^(info|low|none|ok|debug|p4|p5)$/i, "P3"],
];

// Whose severity is a number, by their documentation.
const SCALES: Record<string, Record<string, string>> = {
  graylog: { "1": "P3", "2": "P2", "3": "P1", "4": "P0" },
  opsgenie: { "1": "P0", "2": "P1", "3": "P2", "4": "P3", "5": "P3" },
};

/** null: the body has no word for it. Shared labels count for every alert. */
function severityOf(alert: Tree, vendor: string): string | null {
  const word = firstOf(alert, SEVERITY);
  if (word === undefined) return null;
  const level = SCALES[vendor]?.[word];
  if (level !== undefined) return level;
  return LEVELS.find(([pattern]) => pattern.test(word))?.[1] ?? "P2";
}

// Of labels as the specification has them; of vendors' own fields what such are called.
const LABELS =
  /^(component|deployment|statefulset|daemonset|job_name|pod|persistentvolumeclaim|workload|service_name|service|app|node|instance)$/;
const THINGS =
  /^(kube_deployment|db_instance|host|hostname|sysName|computer|resource_display_name|resourceName|entity|scopes|Application)$/;
const NAMES = /(name|title|summary|subtype)$/i;

/** Every value that an alert's target may be: of a label or field that names a thing, else its own name. */
function targetsOf(alert: Tree): string[] {
  const labelled = isTree(alert.labels) ? valuesOf(alert.labels, LABELS) : valuesOf(alert, THINGS);
  return labelled.length > 0 ? labelled : valuesOf(alert, NAMES);
}

export function expectedOf(body: Json, vendor: string): Expected[] {
  return alertsIn(body).map((alert) => ({
    status: statusOf(alert, body, vendor),
    severity: severityOf(alert, vendor),
    targets: targetsOf(alert),
  }));
}
