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

// Grafana's default organisation, usually the only one. It counts as none, to match stored alerts that have none.
const FIRST = "1";

/** Returns the `organisation` field, none for the first: two organisations may have alerts of one fingerprint. */
export const organisationNamed = (orgId: string | null | undefined) =>
  orgId == null || orgId === FIRST ? {} : { organisation: orgId };

/** Returns the `organisation` field for the organisation that sent a body. */
export const organisationOf = (raw: unknown) => organisationNamed(body.safeParse(raw).data?.orgId);

// Alerts that Grafana raises itself when it cannot evaluate a rule, which the label `rulename` names.
const OF_THE_RULE = ["DatasourceNoData", "DatasourceError"];

/** Returns the rule's name as target; without it all rules that lack data would become one incident. */
function ruleOf({ alertname = "", rulename, ...rest }: SourceAlert["labels"]): string | undefined {
  const unnamed = OF_THE_RULE.includes(alertname) && !namesSubject(rest, alertname);
  return unnamed && rulename ? rulename : undefined;
}

/** Adds to an alert what only Grafana sends: the values that made it fire, and links. */
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
