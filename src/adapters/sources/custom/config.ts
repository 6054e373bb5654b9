import { readFileSync } from "node:fs";
import { parse } from "yaml";
import { z } from "zod";
import { example, secret } from "../../../lib/setting.ts";
import { expressionError } from "./expression.ts";

const source = z.string().min(1).max(2_000);
const expression = source.superRefine((text, ctx) => {
  const message = expressionError(text);
  if (message !== null) ctx.addIssue({ code: "custom", message });
});
/** One expression that returns an object, or one expression for each name. */
const named = z.union([source, z.record(z.string().min(1), source)]).superRefine((given, ctx) => {
  // Checked here because the union's own error would not say which name is wrong.
  for (const [name, text] of Object.entries(typeof given === "string" ? { "": given } : given)) {
    const message = expressionError(text);
    if (message !== null) ctx.addIssue({ code: "custom", message, path: name === "" ? [] : [name] });
  }
});

const fields = z
  .strictObject({
    alertname: example(expression, "check").describe("required without a preset"),
    status: example(expression, "state"),
    severity: example(expression, "level"),
    namespace: example(expression, "$.tenant"),
    target_resource: example(expression, "host"),
    message: example(expression, "text"),
    url: example(expression, "link"),
    starts_at: example(expression, "since"),
    ends_at: example(expression, "until"),
    fingerprint: example(expression, "id"),
    labels: example(named, { team: "tags.team" }),
    annotations: example(named, { value: "value" }),
  })
  .partial();
type Fields = z.infer<typeof fields>;

/** Words of the source with one meaning; `word` is one that senders use for it. */
const words = (word: string) => example(synonyms, [word]);
const synonyms = z.array(z.union([z.string(), z.number(), z.boolean()]).transform(String));
const values = z.strictObject({
  status: z
    .strictObject({ firing: words("bad"), resolved: words("good"), ignored: words("muted") })
    .partial()
    .default({}),
  severity: z
    .strictObject({
      critical: words("5"),
      high: words("4"),
      warning: words("3"),
      medium: words("2"),
      low: words("1"),
      info: words("0"),
      none: words("trace"),
    })
    .partial()
    .default({}),
});
export type FieldValues = z.infer<typeof values>;

const map = z.strictObject({
  alerts: example(expression.optional(), "events").describe(
    "JMESPath to the list of alerts; default: the body is one alert",
  ),
  fields: fields.default({}).describe("JMESPath within an alert; $ is the whole body"),
  values: values.prefault({}).describe("AWOOOI's words, each with the words of the source that mean it"),
});
export type FieldMap = z.infer<typeof map>;

/** The field maps that ship with AWOOOI, by name. */
export const PRESETS: Readonly<Record<string, FieldMap>> = z
  .record(z.string(), map)
  .parse(parse(readFileSync(new URL("presets.yaml", import.meta.url), "utf8")));

// Headers that already identify a caller in another way, or that proxies strip.
const TAKEN =
  /^(authorization|cookie|host|connection|content-.*|transfer-encoding|x-forwarded-.*|x-signature-256)$/i;

export const customSource = z
  .strictObject({
    name: example(
      z.string().regex(/^[a-z0-9][a-z0-9_-]{0,39}$/, "must be 1 to 40 of a-z, 0-9, - and _"),
      "shop",
    ),
    preset: z
      .enum(Object.keys(PRESETS) as [string, ...string[]])
      .optional()
      .describe("a shipped field map, which the fields below override"),
    tokens: example(secret(z.array(z.string().min(16))).default([]), ["at-least-16-characters"]).describe(
      "Authorization: Bearer; at least 16 characters each",
    ),
    header: example(
      z
        .string()
        .regex(/^[A-Za-z0-9-]{1,60}$/, "is not the name of a header")
        .refine((name) => !TAKEN.test(name), "is a header with its own meaning")
        .optional(),
      "X-Shop-Token",
    ).describe("another header in which the sender may put the token"),
    hmac_secrets: secret(z.array(z.string().min(16)))
      .default([])
      .describe(
        "or the sender signs with X-Signature-256; without tokens and secrets the sender is checked as at /webhooks/alerts",
      ),
    ...map.shape,
  })
  .refine(({ preset, fields: own }) => preset !== undefined || own.alertname !== undefined, {
    path: ["fields", "alertname"],
    message: "is needed where there is no preset",
  })
  .refine(({ header, tokens }) => header === undefined || tokens.length > 0, {
    path: ["header"],
    message: "has no effect without tokens",
  });
export type CustomSource = z.infer<typeof customSource>;

export const config = z
  .array(customSource)
  .default([])
  .refine(
    (list) => new Set(list.map((one) => one.name)).size === list.length,
    "two custom sources have the same name",
  )
  .describe("other senders of JSON, at /webhooks/custom/NAME: see custom-sources.md");

/** Returns the field map of a source: its own fields, with those of its preset as defaults. */
export function mapOf({ preset, alerts, fields: own, values: said }: CustomSource): FieldMap {
  const base = preset === undefined ? undefined : PRESETS[preset];
  if (base === undefined) return { alerts, fields: own, values: said };
  const both = (one: Fields["labels"], other: Fields["labels"]) =>
    typeof one === "object" && typeof other === "object" ? { ...one, ...other } : (other ?? one);
  const labels = both(base.fields.labels, own.labels);
  const annotations = both(base.fields.annotations, own.annotations);
  return {
    alerts: alerts ?? base.alerts,
    fields: {
      ...base.fields,
      ...own,
      ...(labels === undefined ? {} : { labels }),
      ...(annotations === undefined ? {} : { annotations }),
    },
    values: {
      status: { ...base.values.status, ...said.status },
      severity: { ...base.values.severity, ...said.severity },
    },
  };
}
