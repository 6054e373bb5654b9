import type { Matcher } from "../../../contract/matcher.ts";
import { matchesEverything } from "../../../lib/matchers.ts";
import { complementOf, plainInterval } from "./intervals.ts";
import { matchersExcluding, matchersOf, matcherTexts } from "./matching.ts";
import type { IntervalConfig, Path, Remark, RouteConfig } from "./read.ts";

export type Route = { matchers?: string[]; receivers?: string[]; continue?: true; routes?: Route[] };
export type ConvertedWindow = { name: string; matchers: string[]; why: string; time_intervals: object[] };

/** The context of a node in the routing tree. */
type RouteContext = {
  /** All matchers that an alert must match to reach the node. */
  matchers: readonly Matcher[];
  /** Matchers of routes that also take alerts of this node, or take them first. */
  others: readonly (readonly Matcher[])[];
};

export type RouteTerms = {
  channels: ReadonlyMap<string, string[]>;
  intervals: ReadonlyMap<string, IntervalConfig[]>;
  remark: Remark;
  /** Called for what Alertmanager itself would refuse. */
  refuse: (path: Path, message: string) => void;
};

const CONVERGES = "not needed: AWOOOI counts repeated alerts on one incident, and notifies once";
const UNMAPPED: Record<string, string> = {
  group_by: CONVERGES,
  group_wait: CONVERGES,
  group_interval: CONVERGES,
  repeat_interval: "what still fires is notified again after incident.cool_down, for all routes",
};
const KNOWN = [
  "receiver",
  "matchers",
  "match",
  "match_re",
  "continue",
  "routes",
  "mute_time_intervals",
  "active_time_intervals",
];

export class RouteConverter {
  readonly windows: ConvertedWindow[] = [];
  readonly #terms: RouteTerms;
  readonly #own = new Map<RouteConfig, Matcher[]>();

  constructor(terms: RouteTerms) {
    this.#terms = terms;
  }

  /** Converts the whole tree into one root route that matches every alert. */
  convert(root: RouteConfig): Route {
    const { refuse } = this.#terms;
    const path = ["route"];
    if (root.receiver === undefined) refuse(path, "the root needs a receiver");
    for (const key of ["matchers", "match", "match_re", "mute_time_intervals", "active_time_intervals"])
      if (Object.keys(root[key] ?? {}).length > 0) refuse([...path, key], "the root may have none");
    return this.#node(root, path, { matchers: [], others: [] });
  }

  #node(route: RouteConfig, path: Path, around: RouteContext): Route {
    const { channels, refuse, remark } = this.#terms;
    const receivers = route.receiver === undefined ? undefined : channels.get(route.receiver);
    if (route.receiver !== undefined && receivers === undefined)
      refuse([...path, "receiver"], `there is no receiver ${route.receiver}`);
    for (const key of Object.keys(route).filter((one) => !KNOWN.includes(one)))
      remark([...path, key], UNMAPPED[key] ?? "unknown setting");
    const own = this.#matchers(route, path);
    const inner = route.routes ?? [];
    const here = { ...around, matchers: [...around.matchers, ...own] };
    this.#mute(route, path, here);
    const routes = inner.map((child, index) => {
      const place = [...path, "routes", index];
      // Earlier siblings take alerts first; later ones get them as well if this route has `continue`.
      const beside = inner.filter((_, at) => at < index || (child.continue === true && at > index));
      const others = [...around.others, ...beside.map((one) => this.#matchers(one, place))];
      return this.#node(child, place, { ...here, others });
    });
    return {
      ...(own.length === 0 ? {} : { matchers: matcherTexts(own) }),
      ...(receivers === undefined ? {} : { receivers }),
      ...(route.continue === true ? { continue: true } : {}),
      ...(routes.length === 0 ? {} : { routes }),
    };
  }

  #matchers(route: RouteConfig, path: Path): Matcher[] {
    const known = this.#own.get(route);
    if (known !== undefined) return known;
    let matchers: Matcher[] = [];
    try {
      matchers = matchersOf(route);
    } catch (error) {
      this.#terms.refuse([...path, "matchers"], error instanceof Error ? error.message : String(error));
    }
    this.#own.set(route, matchers);
    return matchers;
  }

  #intervals(names: readonly string[], path: Path): IntervalConfig[] {
    return names.flatMap((name, index) => {
      const found = this.#terms.intervals.get(name);
      if (found === undefined) this.#terms.refuse([...path, index], `there is no time interval ${name}`);
      return found ?? [];
    });
  }

  /** Adds a maintenance window for the times in which Alertmanager mutes alerts that end at this route. */
  #mute(route: RouteConfig, path: Path, { matchers, others }: RouteContext): void {
    for (const key of ["mute_time_intervals", "active_time_intervals"] as const) {
      const names = route[key] ?? [];
      if (names.length === 0) continue;
      const at = [...path, key];
      const intervals = this.#intervals(names, at);
      const [first, ...more] = intervals;
      const times =
        key === "mute_time_intervals" ? intervals : more.length > 0 || !first ? null : complementOf(first);
      const inner = (route.routes ?? []).map((one) => this.#matchers(one, path));
      const exact = matchersExcluding(matchers, [...others, ...inner]);
      this.#window(at, names, { matchers: exact, times });
    }
  }

  #window(
    at: Path,
    names: readonly string[],
    { matchers, times }: { matchers: Matcher[] | null; times: IntervalConfig[] | null },
  ): void {
    const { remark } = this.#terms;
    const inverse = at.at(-1) === "active_time_intervals";
    const obstacle = obstacleTo(matchers, times);
    if (obstacle !== null || matchers === null || times === null) {
      remark(at, `left out: ${obstacle}`);
      return;
    }
    const base = `${inverse ? "outside-" : ""}${names.join("-")}`.replace(/[^\w.-]+/g, "-").slice(0, 60);
    const taken = new Set(this.windows.map((one) => one.name));
    let name = base;
    for (let count = 2; taken.has(name); count += 1) name = `${base}-${count}`;
    const why = `Alertmanager's ${at.at(-1)} ${names.join(", ")}`;
    this.windows.push({
      name,
      matchers: matcherTexts(matchers),
      why,
      time_intervals: times.map(plainInterval),
    });
    remark(
      at,
      `the maintenance window ${name}: such an alert opens no incident then; in Alertmanager it would only not notify`,
    );
  }
}

/** Returns why no window can be made for these alerts and times; null: it can. */
function obstacleTo(matchers: Matcher[] | null, times: IntervalConfig[] | null): string | null {
  if (times === null) return "the times outside of these cannot be written as intervals";
  if (times.length === 0) return "it would contain no time";
  if (matchers === null) return "no matchers select the alerts that end at this route only";
  return matchesEverything(matchers) ? "it would silence every alert that lacks some label" : null;
}
