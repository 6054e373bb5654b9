import type { FieldError } from "../../../lib/error.ts";
import { matchersOf, matcherTexts } from "./matching.ts";
import {
  type AlertmanagerConfig,
  fieldError,
  notAConfiguration,
  type Path,
  pathText,
  type Remark,
  readAlertmanager,
} from "./read.ts";
import { convertReceivers, type Webhook } from "./receivers.ts";
import { type ConvertedWindow, type Route, RouteConverter } from "./routes.ts";

type InhibitRule = { source_matchers: string[]; target_matchers: string[]; equal: string[] };

/** A part of awoooi.yaml; empty settings are left out. */
type ImportedSettings = {
  intake?: { resolve_timeout: string };
  notification?: { webhooks?: Webhook[]; routes: Route[] };
  maintenance?: ConvertedWindow[];
  inhibit_rules?: InhibitRule[];
};
export type Imported = {
  settings: ImportedSettings;
  /** Settings not taken over as they are, in the order of the file. `line` counts from 1. */
  remarks: { path: string; line: number | null; message: string }[];
};

const SIDES = ["source", "target"] as const;
const LABEL = /^[A-Za-z_]\w*$/;

function inhibitRules(
  { inhibit_rules = [] }: AlertmanagerConfig,
  remark: Remark,
  refuse: (path: Path, message: string) => void,
): InhibitRule[] {
  return inhibit_rules.flatMap((rule, index) => {
    const path = ["inhibit_rules", index];
    const { equal = [] } = rule;
    const [source_matchers = [], target_matchers = []] = SIDES.map((side) => {
      try {
        const [matchers, match, match_re] = [
          rule[`${side}_matchers`],
          rule[`${side}_match`],
          rule[`${side}_match_re`],
        ];
        return matcherTexts(matchersOf({ matchers, match, match_re }));
      } catch (error) {
        refuse([...path, `${side}_matchers`], error instanceof Error ? error.message : String(error));
        return [];
      }
    });
    for (const key of Object.keys(rule))
      if (key !== "equal" && !/^(source|target)_match(ers|_re)?$/.test(key))
        remark([...path, key], "unknown setting");
    if (equal.every((name) => LABEL.test(name))) return [{ source_matchers, target_matchers, equal }];
    remark([...path, "equal"], "AWOOOI cannot compare such label names: the rule is left out");
    return [];
  });
}

function resolveTimeout({ global = {} }: AlertmanagerConfig, remark: Remark): string | undefined {
  const { resolve_timeout, ...others } = global;
  for (const key of Object.keys(others))
    remark(["global", key], "for Alertmanager's own channels: not printed, and not a setting of AWOOOI");
  if (resolve_timeout === undefined || /^\d+(ms|s|m|h|d)$/.test(resolve_timeout)) return resolve_timeout;
  remark(["global", "resolve_timeout"], "not converted: write intake.resolve_timeout as 30s, 5m or 1h");
  return undefined;
}

const SECTIONS = [
  "global",
  "templates",
  "route",
  "receivers",
  "inhibit_rules",
  "time_intervals",
  "mute_time_intervals",
];

/** Converts Alertmanager's configuration into settings. Throws `invalid` where Alertmanager would refuse it. */
export function convertAlertmanager(source: string): Imported {
  const read = readAlertmanager(source);
  const { config } = read;
  const errors: FieldError[] = [];
  const refuse = (path: Path, message: string) => void errors.push(fieldError(read, path, message));
  const remarks: Imported["remarks"] = [];
  const remark: Remark = (path, message) => {
    remarks.push({ path: pathText(path), line: read.lineOf(path), message });
  };
  for (const key of Object.keys(config)) if (!SECTIONS.includes(key)) remark([key], "unknown setting");
  (config.templates ?? []).forEach((_, index) => {
    remark(["templates", index], "AWOOOI writes its cards itself");
  });
  const resolve_timeout = resolveTimeout(config, remark);
  const { webhooks, channels } = convertReceivers(config.receivers, remark);
  if (channels.size < config.receivers.length) refuse(["receivers"], "two receivers have the same name");
  const named = [...(config.time_intervals ?? []), ...(config.mute_time_intervals ?? [])];
  const intervals = new Map(named.map(({ name, time_intervals = [] }) => [name, time_intervals]));
  if (intervals.size < named.length) refuse(["time_intervals"], "two time intervals have the same name");
  const converter = new RouteConverter({ channels, intervals, remark, refuse });
  const route = converter.convert(config.route);
  const inhibit_rules = inhibitRules(config, remark, refuse);
  if (errors.length > 0) throw notAConfiguration(errors);
  const settings: ImportedSettings = {
    ...(resolve_timeout === undefined ? {} : { intake: { resolve_timeout } }),
    notification: { ...(webhooks.length === 0 ? {} : { webhooks }), routes: [route] },
    ...(converter.windows.length === 0 ? {} : { maintenance: converter.windows }),
    ...(inhibit_rules.length === 0 ? {} : { inhibit_rules }),
  };
  remarks.sort((one, other) => (one.line ?? 0) - (other.line ?? 0));
  return { settings, remarks };
}
