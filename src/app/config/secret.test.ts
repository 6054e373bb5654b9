import { describe, expect, it } from "vitest";
import { z } from "zod";
import { needsRestart, restartPaths, secret, secretAt } from "../../lib/setting.ts";
import { configJsonSchema } from "./json-schema.ts";
import { isSecret } from "./secret.ts";

type Node = { properties?: Record<string, Node>; items?: Node; writeOnly?: boolean };

/** The dotted paths of all settings, without places in lists. */
function pathsOf({ properties = {}, items }: Node, path = ""): string[] {
  const inner = Object.entries(properties).flatMap(([name, node]) =>
    pathsOf(node, path === "" ? name : `${path}.${name}`),
  );
  return [...(path === "" ? [] : [path]), ...inner, ...(items === undefined ? [] : pathsOf(items, path))];
}

it("knows every setting that sounds like a secret as one", () => {
  const sounding = pathsOf(configJsonSchema() as Node).filter((path) =>
    /(token|password|passphrase|secret|key)s?$/.test(path),
  );
  expect(sounding.length).toBeGreaterThan(8);
  expect([...new Set(sounding.filter((path) => !isSecret(path)))]).toEqual(["retention.repairs_per_key"]);
});

it("takes what is not known, as with a slip of the hand, for a secret where it sounds like one", () => {
  expect(["intake.hmac_secert", "sentry.webhook_secrets2", "admin_tokens"].map(isSecret)).toEqual([
    false,
    false,
    true,
  ]);
  const misspelt = ["notificaton.webhook.url", "webhooks.0.url", "constructor.token"];
  expect(misspelt.map(isSecret)).toEqual([true, true, true]);
  const inherited = ["constructor", "toString.x", "__proto__", "processes.0.constructor", "ssh.valueOf.x"];
  expect(inherited.map(isSecret)).toEqual(inherited.map(() => false));
  expect(["intake.severities.token", "server.port", "nothing.at.all", ""].map(isSecret)).toEqual([
    false,
    false,
    false,
    false,
  ]);
});

describe("a marked setting", () => {
  const text = z.string();
  const schema = z.strictObject({
    name: text,
    key: secret(text).optional(),
    list: z
      .array(z.strictObject({ env: secret(z.record(text, text), "environment").default({}) }))
      .default([]),
  });

  it.each([
    ["key", "value"],
    ["list.3.env", "environment"],
    ["list.3.env.HOME", "environment"],
    ["list.env", "environment"],
    ["name", null],
    ["list", null],
    ["list.0", null],
    ["other", undefined],
    ["list.0.other", undefined],
    ["name.other", undefined],
  ])("%s is %s", (path, kind) => {
    expect(secretAt(schema, path.split("."))).toBe(kind);
  });
});

it("needs a restart for a list or map in which one setting does", () => {
  const fixed = needsRestart(z.string());
  const schema = z.strictObject({
    open: z.string(),
    list: z.array(z.strictObject({ name: z.string(), inner: fixed })).default([]),
    map: z.record(z.string(), z.strictObject({ inner: fixed })).default({}),
    part: z.strictObject({ fixed: fixed.default("x"), open: z.string() }).prefault({ open: "" }),
  });
  expect(restartPaths(schema)).toEqual(["list", "map", "part.fixed"]);
});
