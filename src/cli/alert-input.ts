import { z } from "zod";

// Senders that build bodies by hand put numbers and booleans where texts belong.
const text = z.union([z.string(), z.number(), z.boolean()]).transform(String);
export const texts = z.record(z.string(), text);

const given = z.object({
  alertname: text.nullish(),
  severity: text.nullish(),
  labels: texts.nullish(),
  annotations: texts.nullish(),
  expr: text.nullish(),
});

/** An alert, or the rule that fires it, as people have it in a file: the name and severity stand in its labels. */
export type AlertInput = {
  labels: Record<string, string>;
  annotations: Record<string, string>;
  expr: string | undefined;
};

/** Reads an alert whose name and severity may stand beside its labels or in them. */
export const alertInput = given.transform((one, ctx): AlertInput => {
  const labels = {
    ...one.labels,
    ...(one.alertname ? { alertname: one.alertname } : {}),
    ...(one.severity ? { severity: one.severity } : {}),
  };
  if (!Object.hasOwn(labels, "alertname")) ctx.addIssue({ code: "custom", message: "it has no alertname" });
  return { labels, annotations: one.annotations ?? {}, expr: one.expr ?? undefined };
});
