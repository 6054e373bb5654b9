import { z } from "zod";
import { anyText, anyValue, optionalText } from "../../../contract/lenient.ts";
import type { SourceAlert } from "../../../intake/index.ts";
import { hashOfTexts } from "../../../lib/canonical-json.ts";
import { presentEntries } from "./present-entries.ts";

const metadata = z.object({ type: anyText, value: anyText }).catch({ type: null, value: null });

/** An issue, or an event of one: both use the same field names. */
const subject = z.object({
  id: anyText,
  issue_id: anyText,
  shortId: anyText,
  title: anyText,
  message: anyText,
  culprit: anyText,
  level: anyText,
  status: anyText,
  platform: anyText,
  environment: anyText,
  release: anyText,
  firstSeen: anyText,
  count: anyText,
  project: anyValue,
  metadata,
  tags: anyValue,
  url: optionalText,
  permalink: optionalText,
  web_url: optionalText,
  issue_url: optionalText,
});
type Subject = z.infer<typeof subject>;

const pair = z.union([
  z.tuple([anyText, anyText]),
  z.object({ key: anyText, value: anyText }).transform(({ key, value }) => [key, value] as const),
]);

function tagsOf(tags: unknown): Record<string, string> {
  const pairs = (Array.isArray(tags) ? tags : []).flatMap((one): [string, string][] => {
    const [key, value] = pair.safeParse(one).data ?? [];
    return key && value ? [[key, value]] : [];
  });
  return Object.fromEntries(pairs);
}

const named = z.object({ slug: anyText, name: anyText });

/** Returns the project's slug; an event has it only in its URL. */
function projectOf({ project, url }: Subject): string | null {
  const { data } = named.safeParse(project);
  if (data !== undefined) return data.slug ?? data.name;
  const [, slug] = /\/projects\/[^/]{1,200}\/([^/]{1,200})\//.exec(url?.slice(0, 2_000) ?? "") ?? [];
  return slug ?? (typeof project === "string" ? anyText.parse(project) : null);
}

const issueIn = (link: string | null) =>
  /\/issues\/(\d{1,30})(?:\/|$|\?)/.exec(link?.slice(0, 2_000) ?? "")?.[1];

type Said = { issue: string | null; status: SourceAlert["status"]; rule?: string | null };

/** Builds the alert. All events of an issue are one alert, because Sentry has grouped them already. */
function alertOf(said: Subject, { issue, status, rule }: Said): SourceAlert {
  const { title, message, culprit, level, platform, metadata: about } = said;
  const tags = tagsOf(said.tags);
  const project = projectOf(said);
  const words = title ?? message;
  // Without an issue number, use project, title and culprit.
  const identity =
    issue === null ? ["unnumbered", project ?? "", words ?? "", culprit ?? ""] : ["issue", issue];
  const workload = hashOfTexts(identity).slice(0, 16);
  return {
    status,
    // Tags are no labels: they may come from a stranger's browser, so they must not name a target to act on.
    labels: presentEntries({
      alertname: about.type ?? "SentryIssue",
      severity: level,
      level,
      project,
      platform,
      environment: said.environment ?? tags.environment,
      release: said.release ?? tags.release,
      issue_id: issue,
      short_id: said.shortId,
    }),
    annotations: presentEntries({
      summary: words,
      description: about.value ?? message,
      culprit,
      triggered_rule: rule,
      first_seen: said.firstSeen,
      count: said.count,
      tags: Object.keys(tags).length > 0 ? JSON.stringify(tags) : null,
    }),
    starts_at: null,
    ends_at: null,
    source_fingerprint: workload,
    workload: `sentry:${workload}`,
    generator_url: said.permalink ?? said.web_url ?? said.url,
    ...(project === null ? {} : { target_resource: project }),
  };
}

// `archived` is Sentry's newer word for `ignored`: a person decided that the issue needs no attention.
const OVER = ["resolved", "archived", "ignored"];

/** Decodes an issue, which fires until it is resolved or archived. Null: the action is no change; undefined: no issue. */
export function issueAlert(raw: unknown, action: string | null): SourceAlert | null | undefined {
  const { data } = subject.safeParse(raw);
  if (data === undefined) return undefined;
  if (action === "assigned" || action === "unassigned") return null;
  const begins = action === "created" || action === "unresolved";
  const over = OVER.includes(action ?? "") || (!begins && OVER.includes(data.status ?? ""));
  return alertOf(data, { issue: data.id, status: over ? "resolved" : "firing" });
}

/** Decodes an event; `rule` is the alert rule that it met, if any. Undefined: it is not an event. */
export function eventAlert(raw: unknown, rule: string | null): SourceAlert | undefined {
  const { data } = subject.safeParse(raw);
  if (data === undefined) return undefined;
  const issue = data.issue_id ?? issueIn(data.issue_url) ?? issueIn(data.web_url) ?? null;
  return alertOf(data, { issue, status: "firing", rule });
}

const plugin = subject.extend({
  project_slug: anyText,
  project_name: anyText,
  triggering_rules: z.array(z.string()).catch([]),
  event: subject.nullable().catch(null),
});

/** Decodes a call of the older webhook plugin: an event, with its issue and project beside it. */
export function pluginAlert(raw: unknown): SourceAlert | undefined {
  const { data } = plugin.safeParse(raw);
  if (data === undefined) return undefined;
  const { event, project_slug, project_name, triggering_rules, ...outer } = data;
  const said = {
    ...outer,
    title: event?.title ?? outer.title,
    environment: outer.environment ?? event?.environment ?? null,
    release: outer.release ?? event?.release ?? null,
    platform: outer.platform ?? event?.platform ?? null,
    metadata: event?.metadata ?? outer.metadata,
    tags: event?.tags ?? outer.tags,
    project: project_slug ?? project_name ?? outer.project,
  };
  const rule = triggering_rules.length > 0 ? anyText.parse(triggering_rules.join(", ")) : null;
  return alertOf(said, { issue: data.id ?? issueIn(data.url) ?? null, status: "firing", rule });
}
