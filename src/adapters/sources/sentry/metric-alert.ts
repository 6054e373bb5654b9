import { z } from "zod";
import { anyText, time } from "../../../contract/lenient.ts";
import type { SourceAlert } from "../../../intake/index.ts";
import { hashOfTexts } from "../../../lib/canonical-json.ts";
import { presentEntries } from "./present-entries.ts";

const NO_RULE = { name: null, environment: null, aggregate: null, query: null };
const metric = z.object({
  id: anyText,
  identifier: anyText,
  organization_id: anyText,
  title: anyText,
  projects: z.array(z.string()).catch([]),
  date_started: time,
  date_closed: time,
  alert_rule: z
    .object({ name: anyText, environment: anyText, aggregate: anyText, query: anyText })
    .catch(NO_RULE),
});

type Words = { description_title: string | null; description_text: string | null; web_url: string | null };

/** Decodes a metric alert: one crossing of a threshold, from `warning` or `critical` to `resolved`. Undefined: none. */
export function metricAlert(raw: unknown, action: string | null, words: Words): SourceAlert | undefined {
  const { data } = metric.safeParse(raw);
  if (data === undefined) return undefined;
  const { id, title, projects, alert_rule: rule } = data;
  const resolved = action === "resolved" || action === "closed";
  const alertname = rule.name ?? title ?? "SentryMetricAlert";
  const project = projects.map((name) => anyText.parse(name)).find((name) => name !== null);
  const severity = resolved || action === "open" ? null : action;
  const { description_title, description_text: description, web_url } = words;
  return {
    status: resolved ? "resolved" : "firing",
    labels: presentEntries({ alertname, severity, project, environment: rule.environment }),
    annotations: presentEntries({
      summary: description_title ?? title,
      description,
      aggregate: rule.aggregate,
      query: rule.query,
      projects: projects.length > 1 ? anyText.parse(projects.join(", ")) : null,
    }),
    starts_at: data.date_started,
    ends_at: resolved ? data.date_closed : null,
    source_fingerprint: hashOfTexts(["metric alert", id ?? data.identifier ?? alertname]).slice(0, 16),
    generator_url: web_url,
    ...(data.organization_id === null ? {} : { organisation: data.organization_id }),
    ...(project ? { target_resource: project } : {}),
  };
}
