import { readFileSync } from "node:fs";
import { parse } from "yaml";
import { z } from "zod";

const notificationType = z.enum(["TYPE-1", "TYPE-3", "TYPE-4D", "TYPE-5S", "TYPE-6B", "TYPE-8M"]);

const rule = z.strictObject({
  id: z.string().regex(/^[a-z_]+$/),
  equals: z.array(z.string()).default([]),
  starts_with: z.array(z.string()).default([]),
  contains: z.array(z.string()).default([]),
  severity: z.array(z.string()).default([]),
  always: z.boolean().default(false),
  category: z.string(),
  notification_type: notificationType,
  heartbeat: z.boolean().default(false),
  when_label_at_least: z
    .strictObject({ label: z.string(), value: z.number(), notification_type: notificationType })
    .optional(),
});
type Rule = z.infer<typeof rule>;

/** An ordered table; the last rule matches everything. */
export type Classification = readonly Rule[];

const table = z
  .array(rule)
  .refine((rules) => rules.at(-1)?.always === true, "the last rule must say `always: true`");

/** The shipped table, with the installation's external sites (alert names) in it. */
export function loadClassification(externalSites: readonly string[] = []): Classification {
  const shipped = table.parse(parse(readFileSync(new URL("./classification.yaml", import.meta.url), "utf8")));
  return shipped.map((one) => (one.id === "external_site" ? { ...one, equals: [...externalSites] } : one));
}

export type Classified = {
  rule: string;
  reason: string;
  category: string;
  notification_type: string;
  /** A sign of life rather than of trouble. */
  heartbeat: boolean;
};

type Input = { alert_name: string; severity?: string | undefined; labels: Record<string, string> };

function reasonFor(one: Rule, alert: Input): string | undefined {
  const name = alert.alert_name;
  const severity = alert.severity?.trim().toLowerCase();
  if (one.equals.includes(name)) return `the name is ${name}`;
  const start = one.starts_with.find((prefix) => name.startsWith(prefix));
  if (start !== undefined) return `the name starts with ${start}`;
  const part = one.contains.find((text) => name.toLowerCase().includes(text));
  if (part !== undefined) return `the name contains ${part}`;
  if (severity !== undefined && one.severity.includes(severity)) return `the severity is ${severity}`;
  return one.always ? "nothing else matched" : undefined;
}

/**
 * The category and notification type of an alert, and which rule gave them for what reason. Whether it is
 * a heartbeat is a question of its own: Watchdog comes with severity none, and so under an earlier rule.
 */
export function classify(rules: Classification, alert: Input): Classified {
  const heartbeat = rules.some((one) => one.heartbeat && reasonFor(one, alert) !== undefined);
  for (const one of rules) {
    const reason = reasonFor(one, alert);
    if (reason === undefined) continue;
    const { id, category, notification_type, when_label_at_least: limit } = one;
    const value = limit === undefined ? Number.NaN : Number.parseFloat(alert.labels[limit.label] ?? "");
    if (limit !== undefined && value >= limit.value) {
      const because = `${reason}, and ${limit.label} is at least ${limit.value}`;
      return { rule: id, reason: because, category, notification_type: limit.notification_type, heartbeat };
    }
    return { rule: id, reason, category, notification_type, heartbeat };
  }
  throw new Error("a classification table ends with a rule that matches everything");
}
