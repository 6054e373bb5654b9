import { z } from "zod";
import { anyText, optionalText } from "../../../contract/lenient.ts";
import { namesSubject, type SourceAlert } from "../../../intake/index.ts";

const own = z.object({
  values: anyText,
  valueString: optionalText,
  dashboardURL: optionalText,
  panelURL: optionalText,
  silenceURL: optionalText,
  imageURL: optionalText,
});

const body = z.object({ orgId: anyText });

// Every Grafana begins with it, and most have no other: it counts as none, so that alerts stored before fit.
const FIRST = "1";

/** The organisation of this number: two of one Grafana may have alerts of one fingerprint. Undefined: the first. */
export const organisationNamed = (orgId: string | null | undefined) =>
  orgId == null || orgId === FIRST ? {} : { organisation: orgId };

/** The organisation that a body is of. */
export const organisationOf = (raw: unknown) => organisationNamed(body.safeParse(raw).data?.orgId);

// Alerts that Grafana raises itself where a rule cannot be evaluated; the label `rulename` says which.
const OF_THE_RULE = ["DatasourceNoData", "DatasourceError"];

/** Without it all rules that lack data would be one trouble. */
function ruleOf({ alertname = "", rulename, ...rest }: SourceAlert["labels"]): string | undefined {
  const unnamed = OF_THE_RULE.includes(alertname) && !namesSubject(rest, alertname);
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
