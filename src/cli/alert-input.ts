import { z } from "zod";

// Hand-written bodies may have numbers and booleans where strings belong.
const text = z.union([z.string(), z.number(), z.boolean()]).transform(String);
export const stringRecord = z.record(z.string(), text);

const given = z.object({
  alertname: text.nullish(),
  severity: text.nullish(),
  labels: stringRecord.nullish(),
  annotations: stringRecord.nullish(),
  expr: text.nullish(),
});

/** An alert, or the rule that fires it, from a file; its name and severity are in its labels. */
export type AlertInput = {
  labels: Record<string, string>;
  annotations: Record<string, string>;
  expr: string | undefined;
};

/** Parses an alert whose name and severity may be beside its labels or among them. */
export const alertInput = given.transform((one, ctx): AlertInput => {
  const labels = {
    ...one.labels,
    ...(one.alertname ? { alertname: one.alertname } : {}),
    ...(one.severity ? { severity: one.severity } : {}),
  };
  if (!Object.hasOwn(labels, "alertname")) ctx.addIssue({ code: "custom", message: "it has no alertname" });
  return { labels, annotations: one.annotations ?? {}, expr: one.expr ?? undefined };
});
