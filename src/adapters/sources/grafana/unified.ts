import { z } from "zod";
import { anyText, optionalText } from "../../../contract/lenient.ts";
import { type SourceAlert, targetOf } from "../../../intake/index.ts";

const own = z.object({
  values: anyText,
  valueString: optionalText,
  dashboardURL: optionalText,
  panelURL: optionalText,
  silenceURL: optionalText,
  imageURL: optionalText,
});

const body = z.object({ orgId: anyText });

/** The organisation that a body is of: two of one Grafana may have alerts of one fingerprint. */
export const organisationOf = (raw: unknown): string | null => body.safeParse(raw).data?.orgId ?? null;

// Alerts that Grafana raises itself where a rule cannot be evaluated; the label `rulename` says which.
const OF_THE_RULE = ["DatasourceNoData", "DatasourceError"];

/** Without it all rules that lack data would be one trouble. */
function ruleOf({ alertname = "", rulename, ...rest }: SourceAlert["labels"]): string | undefined {
  const unnamed = OF_THE_RULE.includes(alertname) && targetOf(rest, alertname) === alertname;
  return unnamed && rulename ? rulename : undefined;
}

/** Keeps with an alert what only Grafana says of it: the values that made it fire, and links. */
export function completeUnified(alert: SourceAlert, raw: unknown): SourceAlert {
  const { data = {} } = own.safeParse(raw);
  const said = Object.entries(data).filter(([, text]) => text !== null && text !== "{}");
  const rule = ruleOf(alert.labels);
  return {
    ...alert,
    annotations: { ...alert.annotations, ...(Object.fromEntries(said) as Record<string, string>) },
    ...(rule === undefined ? {} : { target_resource: rule }),
  };
}
