/** Systems that do not exist, with faults in them whose alerts are known: the truth to measure correlation by. */
import type { Symptom } from "../../src/incident/index.ts";
import { between, seededRandom } from "./random.ts";

/** Shares from 0 to 1. */
export type Knobs = {
  /** Of the dependants that suffer, those that raise no alert. */
  drop_out: number;
  /** Of the dependants of what suffers, those that suffer too. */
  spread: number;
  /** Of the alerts, those that only an address or a text ties to a service. */
  bare: number;
  /** Of the texts of effects, those that name what they wait for. */
  told: number;
  /** Of the alerts, those without a time. */
  untimed: number;
  /** Alerts at most that have nothing to do with the faults; a third of them look like effects. */
  noise: number;
  /** Of the faults, those that raise no alert themselves. */
  silent: number;
  /** Of the graphs, and of the alerts of what a lost machine held, those that name the machine. */
  placed: number;
  faults: 1 | 2;
};

export const USUAL: Knobs = {
  drop_out: 0.2,
  spread: 0.8,
  bare: 0.15,
  told: 0.3,
  untimed: 0.05,
  noise: 4,
  silent: 0,
  placed: 0.8,
  faults: 2,
};

type Component = { name: string; namespace: string; cluster: string; node: string; needs: Set<number> };
/** `faults` are those that reach the alert, the earliest first; none when it is noise. */
type Told = { symptom: Symptom; faults: number[] };
export type Case = {
  topology: object;
  told: Told[];
  /** For each fault the alerts of the place where it is. */
  causes: Set<string>[];
};

const WORDS =
  "orders cart billing catalog search profile ledger mailer reviews basket pricing quotes identity gateway stock shipping coupons invoices sessions media ratings tickets maps feeds".split(
    " ",
  );
const TAILS = ["", "-api", "-worker", "-web", "-v2"];
const STORES = ["-db", "-redis", "-kafka", "-pg"];
const MINUTE = 60_000;
const START = Date.UTC(2026, 0, 1, 12);
const HASH = "bcdfghjklmnpqrstvwxz2456789";

const FAULTS = [
  ["KubePodCrashLooping", "is restarting again and again"],
  ["ContainerOOMKilled", "was killed for its memory"],
  ["ImagePullBackOff", "cannot pull its image"],
  ["PersistentVolumeFillingUp", "has no space left on its volume"],
  ["KubePodNotReady", "is not ready"],
  ["TooManyConnections", "has no connections left"],
] as const;
const EFFECTS = [
  ["HighErrorRate", "answers 12 % of its requests with errors"],
  ["HighRequestLatency", "has a p99 latency of 4.2 s"],
  ["SLOBurnRateTooHigh", "burns its error budget 14 times too fast"],
  ["ServiceUnavailable", "fails its probes"],
] as const;
const NOISE = [
  ["CertificateExpiringSoon", "has a certificate that expires in 20 days"],
  ["CPUThrottlingHigh", "is throttled 40 % of the time"],
  ["BackupJobFailed", "has had no backup since yesterday"],
  ["HighMemoryUsage", "uses 85 % of its memory"],
] as const;

class Draw {
  readonly #random;
  constructor(seed: string) {
    this.#random = seededRandom(seed);
  }
  number(low: number, high: number): number {
    return between(this.#random, low, high);
  }
  chance(share: number): boolean {
    return this.number(0, 999_999) < share * 1_000_000;
  }
  one<T>(list: readonly T[]): T {
    return list[this.number(0, list.length - 1)] as T;
  }
  letters(count: number): string {
    return Array.from({ length: count }, () => HASH[this.number(0, HASH.length - 1)]).join("");
  }
}

/** Layers of services that need those below them, stores at the bottom, and now and then a cycle. */
function systemOf(draw: Draw): Component[] {
  const clusters = draw.chance(0.3) ? ["east", "west"] : ["east"];
  const namespaces = ["shop", "pay", "core", "data"].slice(0, draw.number(1, 4));
  const nodes = Array.from({ length: draw.number(3, 8) }, (_, index) => `worker-${index}`);
  const used = new Set<string>();
  const layers = draw.number(3, 4);
  const components: Component[] = [];
  const layerOf: number[] = [];
  for (let layer = 0; layer < layers; layer++) {
    for (let count = draw.number(3, 9); count > 0; count--) {
      const name = draw.one(WORDS) + draw.one(layer === layers - 1 ? STORES : TAILS);
      if (used.has(name)) continue;
      used.add(name);
      const cluster = draw.one(clusters);
      components.push({
        name,
        namespace: draw.one(namespaces),
        cluster,
        node: `${cluster}-${draw.one(nodes)}`,
        needs: new Set(),
      });
      layerOf.push(layer);
    }
  }
  for (const [index, one] of components.entries()) {
    const below = [...components.keys()].filter(
      (other) =>
        components[other]?.cluster === one.cluster &&
        ((layerOf[other] ?? 0) === (layerOf[index] ?? 0) + 1 ||
          ((layerOf[other] ?? 0) > (layerOf[index] ?? 0) + 1 && draw.chance(0.15))),
    );
    for (let count = draw.number(1, 3); count > 0 && below.length > 0; count--)
      one.needs.add(draw.one(below));
    if (draw.chance(0.05)) {
      const other = draw.number(0, components.length - 1);
      if (other !== index && components[other]?.cluster === one.cluster) one.needs.add(other);
    }
  }
  return components;
}

type Raise = {
  at: number;
  component: Component;
  alert: readonly [string, string];
  faults: number[];
  because?: string;
  on_node?: boolean;
};

/** Labels and texts as some sender would write them. */
function symptomOf(draw: Draw, id: string, raise: Raise, knobs: Knobs): Symptom {
  const { component, alert, because } = raise;
  const { name, namespace, cluster, node } = component;
  const pod = `${name}-${draw.letters(9)}-${draw.letters(5)}`;
  const styles: Record<string, string>[] = draw.chance(knobs.bare)
    ? [
        { instance: `${pod}:8080` },
        { instance: `${name}.${namespace}.svc:9090`, job: "blackbox-exporter" },
        {},
      ]
    : [
        { namespace, service: name },
        { namespace, pod, container: "main", job: "kube-state-metrics", instance: "10.0.3.7:8080" },
        { namespace, deployment: name, cluster },
        { namespace, pod, node, cluster },
        { namespace, app: name, instance: `10.0.1.${draw.number(2, 250)}:8080`, severity: "warning" },
      ];
  const onNode = raise.on_node && draw.chance(knobs.placed) ? { node } : {};
  const labels = { ...draw.one(styles), ...onNode, ...(draw.chance(0.5) ? { severity: "critical" } : {}) };
  const waits = because === undefined || !draw.chance(knobs.told) ? "" : `, waiting for ${because}`;
  const text = draw.one([`${name} ${alert[1]}${waits}`, `Service ${name} ${alert[1]}${waits}.`]);
  const needsText = Object.keys(labels).every((label) => label === "severity");
  return {
    id,
    alert_name: alert[0],
    labels,
    annotations: needsText || waits !== "" || draw.chance(0.7) ? { summary: text } : {},
    cluster: "",
    namespace: "",
    services: [],
    starts_at: draw.chance(knobs.untimed) ? null : new Date(raise.at),
  };
}

/** When each component begins to suffer, and by which it was reached. */
function cascade(draw: Draw, components: readonly Component[], from: number[], at: number, spread: number) {
  const reached = new Map(from.map((index) => [index, { at, because: undefined as string | undefined }]));
  const queue = [...from];
  for (let index = queue.shift(); index !== undefined; index = queue.shift()) {
    const own = reached.get(index);
    for (const [caller, { needs }] of components.entries()) {
      if (own === undefined || !needs.has(index) || reached.has(caller) || !draw.chance(spread)) continue;
      const delay = draw.number(10, 80) * 1000;
      reached.set(caller, { at: own.at + delay, because: components[index]?.name });
      queue.push(caller);
    }
  }
  return reached;
}

type Place = { component: Component; hit: number[]; node: boolean };

function placeOf(draw: Draw, components: readonly Component[]): Place {
  const index = draw.number(0, components.length - 1);
  const component = components[index] as Component;
  if (!draw.chance(0.15)) return { component, hit: [index], node: false };
  const hit = [...components.keys()].filter((one) => components[one]?.node === component.node);
  return { component, hit, node: true };
}

/** How soon a scrape and a rule's `for` let an alert fire, and that not everything is measured by one clock. */
const jitter = (draw: Draw) => draw.number(-30, 60) * 1000;

/** A system with its faults and alerts; the same for the same seed. */
export function caseOf(seed: string, knobs: Knobs): Case {
  const draw = new Draw(seed);
  const components = systemOf(draw);
  const raises: Raise[] = [];
  const nodeTold: Told[] = [];
  const reachedBy: Map<number, { at: number; because: string | undefined }>[] = [];
  const places: Place[] = [];
  for (let fault = 0; fault < knobs.faults; fault++) {
    const place = placeOf(draw, components);
    // Independent: neither is where the other is, nor in what the other brings down.
    if (place.hit.some((index) => reachedBy.some((one) => one.has(index)))) continue;
    const at = START + (draw.chance(0.5) ? 0 : draw.number(0, 8) * MINUTE);
    const reached = cascade(draw, components, place.hit, at, knobs.spread);
    if (places.some(({ hit }) => hit.some((index) => reached.has(index)))) continue;
    places.push(place);
    reachedBy.push(reached);
  }
  const causes = places.map(() => new Set<string>());
  const owners: { fault: number; raise: Raise }[] = [];
  for (const [fault, { hit, node, component }] of places.entries()) {
    const first = reachedBy[fault]?.get(hit[0] as number)?.at ?? START;
    if (node && !draw.chance(knobs.silent)) {
      const symptom: Symptom = {
        id: `node-${fault}`,
        alert_name: "KubeNodeNotReady",
        labels: { node: component.node, job: "kube-state-metrics" },
        annotations: { summary: `Node ${component.node} is not ready` },
        cluster: "",
        namespace: "",
        services: [],
        starts_at: new Date(first + jitter(draw)),
      };
      nodeTold.push({ symptom, faults: [fault] });
      causes[fault]?.add(symptom.id);
    }
    for (const index of hit) {
      const own = components[index] as Component;
      if (draw.chance(knobs.silent)) continue;
      const alert = node ? (["KubePodNotReady", "is not ready"] as const) : draw.one(FAULTS);
      const raise = { at: first + jitter(draw), component: own, alert, faults: [fault], on_node: node };
      raises.push(raise);
      if (!node) owners.push({ fault, raise });
    }
  }
  for (const [index, component] of components.entries()) {
    const by = reachedBy
      .flatMap((reached, fault) => {
        const one = reached.get(index);
        return one === undefined ? [] : [{ fault, ...one }];
      })
      .sort((a, b) => a.at - b.at);
    const [earliest] = by;
    if (earliest === undefined || draw.chance(knobs.drop_out)) continue;
    for (let count = draw.chance(0.3) ? 2 : 1; count > 0; count--) {
      const because = earliest.because;
      const raise: Raise = {
        at: earliest.at + jitter(draw),
        component,
        alert: draw.one(EFFECTS),
        faults: by.map(({ fault }) => fault),
        ...(because === undefined ? {} : { because }),
      };
      raises.push(raise);
      const here = places.findIndex(({ hit, node }) => !node && hit.includes(index));
      if (here >= 0) owners.push({ fault: here, raise });
    }
  }
  const well = components.filter((_, index) => reachedBy.every((reached) => !reached.has(index)));
  for (let count = draw.number(0, knobs.noise); count > 0 && well.length > 0; count--) {
    const alert = draw.chance(1 / 3) ? draw.one(EFFECTS) : draw.one(NOISE);
    raises.push({ at: START + draw.number(-5, 12) * MINUTE, component: draw.one(well), alert, faults: [] });
  }
  const told = raises.map((raise, index) => {
    const id = String(index);
    for (const { fault, raise: own } of owners) if (own === raise) causes[fault]?.add(id);
    return { symptom: symptomOf(draw, id, raise, knobs), faults: raise.faults };
  });
  const placed = draw.chance(knobs.placed);
  const services = components.map(({ name, namespace, cluster, needs, node }) => [
    name,
    {
      namespace,
      cluster,
      depends_on: [...needs].map((one) => components[one]?.name),
      ...(placed ? { runs_on: [node] } : {}),
    },
  ]);
  return { topology: { services: Object.fromEntries(services) }, told: [...told, ...nodeTold], causes };
}
