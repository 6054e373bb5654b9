import { z } from "zod";
import { anyText, anyValue, optionalText, texts } from "../../../contract/lenient.ts";
import type { Decoded, SourceAlert } from "../../../intake/index.ts";
import { hashOfTexts } from "../../../lib/canonical-json.ts";
import { organisationNamed } from "./unified.ts";

const rule = z.object({
  alerts: z.array(z.unknown()).optional().catch(undefined),
  ruleId: anyText,
  ruleName: anyText,
  ruleUrl: optionalText,
  orgId: anyText,
  dashboardId: anyText,
  panelId: anyText,
  state: anyText,
  title: anyText,
  message: anyText,
  imageUrl: optionalText,
  tags: texts,
  evalMatches: anyValue,
});
type Rule = z.infer<typeof rule>;

// States of a rule in legacy alerting (before Grafana 9) that do not fire; every other state does.
const OVER = ["ok", "paused"];
const NOT_YET = ["pending", "unknown"];

const matches = z.array(z.object({ tags: texts }).catch({ tags: {} })).catch([]);

/** Returns the tags that all series which made the rule fire share: only these hold for the whole alert. */
function commonTags(evalMatches: unknown): Record<string, string> {
  const [first, ...others] = matches.parse(evalMatches);
  const same = Object.entries(first?.tags ?? {}).filter(([name, value]) =>
    others.every(({ tags }) => tags[name] === value),
  );
  return Object.fromEntries(same);
}

/** Returns the rule's fingerprint. It includes the URL's origin, because every Grafana numbers its own rules. */
function identityOf({ ruleUrl, orgId, ruleId, ruleName }: Rule): string {
  const origin = ruleUrl === null ? "" : (URL.parse(ruleUrl)?.origin ?? "");
  return hashOfTexts([origin, orgId ?? "", ruleId ?? `named ${ruleName}`]).slice(0, 16);
}

function annotationsOf(fields: Rule, evalMatches: string | null): SourceAlert["annotations"] {
  const { title, message, state, orgId, dashboardId, panelId, imageUrl: imageURL } = fields;
  const said = { title, summary: message ?? title, state, orgId, dashboardId, panelId, imageURL };
  const all = Object.entries({ ...said, evalMatches }).filter(([, text]) => text !== null && text !== "[]");
  return Object.fromEntries(all) as Record<string, string>;
}

/**
 * Decodes a body of legacy alerting (before Grafana 9): one rule and its state. It has no times, so a rule is one
 * alert from its first `alerting` to its `ok`. Returns undefined for a body of another kind.
 */
export function decodeLegacy(body: unknown): Decoded | undefined {
  const { data: fields } = rule.safeParse(body);
  if (fields === undefined || fields.alerts !== undefined) return undefined;
  const { ruleId, ruleName, ruleUrl, title, tags, evalMatches } = fields;
  if (ruleId === null && ruleName === null) return undefined;
  const state = fields.state?.toLowerCase() ?? "alerting";
  const alertname = tags.alertname || ruleName || title || `rule ${ruleId}`;
  const alert: SourceAlert = {
    status: OVER.includes(state) ? "resolved" : "firing",
    labels: { ...commonTags(evalMatches), ...tags, alertname },
    annotations: annotationsOf(fields, anyText.parse(evalMatches)),
    starts_at: null,
    ends_at: null,
    source_fingerprint: identityOf(fields),
    ...organisationNamed(fields.orgId),
    generator_url: ruleUrl,
  };
  return { ok: true, alerts: NOT_YET.includes(state) ? [] : [alert], truncated: 0, rejected: [] };
}
