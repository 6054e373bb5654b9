import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { z } from "zod";
import { SEED } from "../../../../test/support/random.ts";
import type { SourceAlert } from "../../../intake/index.ts";
import { config, customSource, PRESETS } from "./config.ts";
import { mappedSource } from "./index.ts";

type Given = Partial<z.input<typeof customSource>>;
const SHOP = {
  name: "shop",
  alerts: "events",
  fields: {
    alertname: "check || 'ShopCheck'",
    status: "state",
    severity: "level",
    namespace: "$.tenant",
    target_resource: "host",
    message: "text",
    url: "links[0].href",
    starts_at: "since",
    ends_at: "until",
    labels: { team: "tags.team", rack: "tags.rack" },
    annotations: { value: "value", origin: "'shop'" },
  },
  values: {
    status: { firing: ["bad", 2], resolved: ["good", 0], ignored: ["muted"] },
    severity: { critical: [5], warning: ["meh"] },
  },
} satisfies Given;
const EVENT = {
  check: "DiskFull",
  state: "bad",
  level: 5,
  host: "web-1",
  text: "2 GB left",
  links: [{ href: "https://shop.example/1" }],
  since: "2026-05-04T07:00:00Z",
  tags: { team: "web" },
  value: 0.5,
};

const sourceOf = (change: Given = {}) => mappedSource(customSource.parse({ ...SHOP, ...change }));
function alertsOf(events: unknown[], change: Given = {}): SourceAlert[] {
  const decoded = sourceOf(change).decode({ tenant: "prod", events });
  if (!decoded.ok) throw new Error(decoded.reason);
  return decoded.alerts;
}
const one = (change: Record<string, unknown> = {}, map: Given = {}) =>
  alertsOf([{ ...EVENT, ...change }], map)[0]!;
const faultsOf = (source: unknown) =>
  (customSource.safeParse(source).error?.issues ?? []).map(
    (issue) => `${issue.path.join(".")}: ${issue.message}`,
  );

describe("a mapped body", () => {
  it("is understood field by field, with the whole body under $", () => {
    expect(sourceOf().id).toBe("custom:shop");
    expect(one()).toEqual({
      status: "firing",
      labels: { team: "web", alertname: "DiskFull", namespace: "prod", severity: "critical" },
      annotations: { value: "0.5", origin: "shop", summary: "2 GB left" },
      starts_at: new Date(EVENT.since),
      ends_at: null,
      source_fingerprint: expect.stringMatching(/^[0-9a-f]{32}$/),
      generator_url: "https://shop.example/1",
      target_resource: "web-1",
      position: 0,
    });
  });

  it("has our words for its own, whatever their case and type, and leaves out what it is told to", () => {
    const states = ["bad", "GOOD", 2, "0", "resolved", "odd", null].map((state) => one({ state }).status);
    expect(states).toEqual(["firing", "resolved", "firing", "resolved", "firing", "firing", "firing"]);
    expect(one({ state: "recovered" }, { values: {} }).status).toBe("resolved");
    expect(alertsOf([EVENT, { ...EVENT, state: "muted" }, EVENT]).map((alert) => alert.position)).toEqual([
      0, 2,
    ]);
    expect(["5", "MEH", "page"].map((level) => one({ level }).labels.severity)).toEqual([
      "critical",
      "warning",
      "page",
    ]);
  });

  it("is the same alert when it gets worse, says other words or ends, and another elsewhere", () => {
    const key = (change: Record<string, unknown>) => one(change).source_fingerprint;
    for (const same of [{ level: 1 }, { text: "1 GB" }, { state: "good" }, { value: 9 }])
      expect(key(same)).toBe(key({}));
    const others = [{ host: "web-2" }, { check: "Load" }, { tags: { team: "db" } }];
    expect(new Set([{}, ...others].map(key)).size).toBe(4);
    const fields = { ...SHOP.fields, fingerprint: "id" };
    expect(one({ id: 7 }, { fields }).source_fingerprint).toBe("7");
    expect(one({ id: "x".repeat(1 << 20) }, { fields }).source_fingerprint).toHaveLength(32);
  });

  it("has times as vendors write them, and none where they cannot be read", () => {
    const start = new Date("2026-05-04T07:00:00Z");
    const seconds = start.getTime() / 1000;
    for (const since of [
      EVENT.since,
      "2026-05-04T09:00:00+02:00",
      "2026-05-04 07:00:00",
      seconds,
      `${seconds}000`,
    ])
      expect(one({ since }).starts_at).toEqual(start);
    for (const since of ["yesterday", "0001-01-01T00:00:00Z", 0, -5, 1e30, {}, null, true])
      expect(one({ since }).starts_at).toBeNull();
    expect(one({ until: EVENT.since }).ends_at).toBeNull();
    expect(one({ until: EVENT.since, state: "good" }).ends_at).toEqual(start);
  });

  it("is the body itself, one object or a list, and nothing where there is none", () => {
    const { alerts: _, ...whole } = SHOP;
    const bare = mappedSource(customSource.parse(whole));
    expect(bare.decode(EVENT)).toMatchObject({ ok: true, alerts: [{ labels: { alertname: "DiskFull" } }] });
    expect(sourceOf().decode({ events: EVENT })).toMatchObject({ ok: true, alerts: [{}] });
    expect(sourceOf().decode({ events: [] })).toMatchObject({ ok: true, alerts: [] });
    for (const body of [{}, null, 5, "x", [], { events: 5 }, { events: [5] }])
      expect(sourceOf().decode(body)).toMatchObject({ ok: false });
  });

  it("counts with what is understood of it, and says of the rest what is wrong", () => {
    const fields = { ...SHOP.fields, alertname: "check", message: "join(',', text)" };
    const decoded = sourceOf({ fields }).decode({
      events: [{ ...EVENT, text: ["a", "b"] }, EVENT, 5, { host: "x" }],
    });
    expect(decoded).toMatchObject({
      ok: true,
      alerts: [{ annotations: { summary: "a,b" } }, { labels: { alertname: "DiskFull" } }],
      rejected: [
        expect.stringMatching(/^alerts\[1\]: message: .*join/),
        "alerts[2] is not an object but 5",
        "alerts[3] has no alertname",
      ],
    });
  });

  it("is bounded in number, and in its labels", () => {
    const labels = Object.fromEntries(Array.from({ length: 1_001 }, (_, n) => [`k${n}`, "v"]));
    const fields = { alertname: "'A'", labels: "tags" };
    const { decode } = mappedSource(customSource.parse({ name: "x", fields }));
    expect(decode({ tags: labels })).toMatchObject({
      alerts: [{ labels: { alertname: "A" } }],
      rejected: [expect.stringContaining("at most 1000")],
    });
    const decoded = sourceOf().decode({ events: Array.from({ length: 10_001 }, () => ({ check: "A" })) });
    expect(decoded.ok && decoded.alerts.length).toBeLessThanOrEqual(10_000);
    expect(decoded.ok && decoded.rejected).toHaveLength(1);
  });
});

describe("an alert of which something was not read", () => {
  const tags = (count: number) => Array.from({ length: count }, (_, n) => `t${n}:v`);
  const many = (count: number) => Object.fromEntries(tags(count).map((tag) => [tag, "v"]));
  const inner = (count: number) => JSON.stringify({ labels: many(count) });
  it.each<[string, object, object, boolean]>([
    ["tags in a list", { labels: "pairs(tags)" }, { tags: tags(501) }, true],
    ["tags in a text", { labels: "pairs(tags)" }, { tags: tags(501).join() }, true],
    ["tags beside others", { namespace: "pairs(tags).t0" }, { tags: tags(501) }, true],
    ["as many tags as are read", { labels: "pairs(tags)" }, { tags: tags(500).join() }, false],
    ["names", { labels: "tags" }, { tags: many(1_001) }, true],
    ["JSON within a text", { labels: "from_json(inner).labels" }, { inner: inner(1_001) }, true],
    ["as much of it as is read", { labels: "from_json(inner).labels" }, { inner: inner(1_000) }, false],
    ["a label that fails", { labels: { auto_repair: "join(',', tags)" } }, { tags: 5 }, true],
    ["a list of alerts that fails in part", {}, { inner: JSON.stringify(tags(1_001)) }, true],
  ])("is marked, and told: %s", (what, fields, body, incomplete) => {
    const alerts = what.startsWith("a list") ? "from_json(inner) && [@]" : undefined;
    const map = { name: "x", alerts, fields: { alertname: "'A'", ...fields } };
    const decoded = mappedSource(customSource.parse(map)).decode(body);
    if (!decoded.ok) throw new Error(decoded.reason);
    expect(decoded.alerts.map((alert) => alert.incomplete ?? false)).toEqual([incomplete]);
    expect(decoded.rejected.length > 0).toBe(incomplete);
  });
});

describe("expressions", () => {
  it("read JSON within a text, and tags", () => {
    const fields = { alertname: "from_json(inner).name", labels: "pairs(tags)" };
    const { decode } = mappedSource(customSource.parse({ name: "x", fields }));
    expect(decode({ inner: '{"name": "A"}', tags: "team:web, url:http://x, urgent,,k=v" })).toMatchObject({
      alerts: [{ labels: { alertname: "A", team: "web", url: "http://x", urgent: "true", k: "v" } }],
    });
    expect(decode({ inner: "{" })).toMatchObject({ ok: false, reason: expect.stringContaining("alertname") });
  });

  it("find data only: nothing that every object has, and nothing of the body before", () => {
    const fields = {
      alertname: "constructor || toString || 'none'",
      labels: { proto: "__proto__.constructor" },
    };
    const { decode } = mappedSource(customSource.parse({ name: "x", fields }));
    expect(decode({})).toMatchObject({ ok: false, reason: "alerts[0] has no alertname" });
    const map = { ...SHOP.fields, message: "map(&$.secret, [`1`])" };
    sourceOf({ fields: map }).decode({ events: [EVENT], secret: "of another" });
    expect(one({}, { fields: map }).annotations.summary).toBe("[null]");
  });

  it("are checked when the configuration is, and named by their place", () => {
    const fields = { alertname: "a ||", labels: { x: "nope(a)" }, url: "a[?b" };
    expect(faultsOf({ name: "shop", fields })).toEqual([
      expect.stringMatching(/^fields.alertname: is not a JMESPath expression: .*EOF/),
      expect.stringMatching(/^fields.url: /),
      expect.stringMatching(/^fields.labels.x: .*no function nope/),
    ]);
    expect(faultsOf({ name: "A b" })).toEqual([
      expect.stringContaining("name: must be"),
      "fields.alertname: is needed where there is no preset",
    ]);
    for (const header of ["Authorization", "Cookie", "a b", "X-Forwarded-For"])
      expect(faultsOf({ name: "x", preset: "gcp", header, tokens: ["t".repeat(16)] })[0]).toMatch(
        /^header: /,
      );
    expect(faultsOf({ name: "x", preset: "gcp", header: "X-Token" })[0]).toMatch(/without tokens/);
    expect(config.safeParse([SHOP, SHOP]).error?.issues[0]?.message).toContain("same name");
  });
});

it("is read without throwing, whatever JSON it is, by every preset", () => {
  const sources = [
    sourceOf(),
    ...Object.keys(PRESETS).map((preset) => mappedSource(customSource.parse({ name: preset, preset }))),
  ];
  const known = [...new Set(JSON.stringify(PRESETS).match(/\w+/g))].filter((word) => word.length > 2);
  const value = fc.oneof(
    fc.jsonValue(),
    fc.constantFrom<unknown>("a\u0000\ud800b", null, 1e300, "1767225600", EVENT),
  );
  const shaped = fc.dictionary(
    fc.constantFrom(...known),
    fc.oneof(value, fc.dictionary(fc.constantFrom(...known), value)),
  );
  fc.assert(
    fc.property(
      fc.oneof(value, shaped, fc.record({ events: fc.array(fc.oneof(value, shaped)) })),
      (given) => {
        const body = JSON.parse(JSON.stringify(given));
        for (const { decode } of sources) {
          const decoded = decode(body);
          if (!decoded.ok) continue;
          for (const { labels, annotations, source_fingerprint, target_resource } of decoded.alerts) {
            const said = [...Object.entries(labels), ...Object.entries(annotations)].flat();
            for (const text of [...said, source_fingerprint ?? "", target_resource ?? ""])
              expect(text.isWellFormed() && !text.includes("\0")).toBe(true);
          }
        }
      },
    ),
    { seed: SEED, numRuns: 300 },
  );
  const deep = JSON.parse(`${"[".repeat(20_000)}${"]".repeat(20_000)}`);
  expect(one({ tags: { team: deep }, text: deep }).labels.alertname).toBe("DiskFull");
  expect(one({ text: "x".repeat(1 << 20) }).annotations.summary).toHaveLength(1 << 20);
});
