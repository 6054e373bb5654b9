import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parse } from "yaml";
import { FakeServer } from "../../../../test/support/cli-server.ts";
import { amtoolBinary } from "../../../../test/support/prepare.ts";
import { configSchema } from "../../../app/config/schema.ts";
import { createRouter, routeSetting } from "../../../notification/index.ts";
import type { Imported } from "./convert.ts";

const server = new FakeServer();
let folder: string;
beforeAll(async () => {
  await server.start();
  folder = mkdtempSync(join(tmpdir(), "awoooi-import-"));
});
afterAll(async () => {
  await server.stop();
  rmSync(folder, { recursive: true });
});

function file(text: string, name = "alertmanager.yml"): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}
/** Whether Alertmanager itself takes it. */
function isTaken(path: string): boolean {
  const binary = amtoolBinary();
  if (binary === undefined) throw new Error("there is no amtool: run `node test/support/prepare.ts`");
  try {
    execFileSync(binary, ["check-config", path], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}
async function imported(text: string): Promise<Imported> {
  const path = file(text);
  expect(isTaken(path)).toBe(true);
  const { code, stdout, stderr } = await server.awoooi(["import", path, "--json"]);
  expect([code, stderr]).toEqual([0, ""]);
  return JSON.parse(stdout) as Imported;
}
const said = ({ remarks }: Imported) =>
  remarks.map(({ line, path, message }) => `${line} ${path}: ${message}`);

const EVERYTHING = `global:
  resolve_timeout: 10m
  slack_api_url: https://hooks.slack.com/services/T0/B0/very-secret
  smtp_smarthost: mail.example:25
  smtp_from: alerts@example.org
templates: ['/etc/alertmanager/*.tmpl']
route:
  receiver: default
  group_by: [alertname, cluster]
  group_wait: 30s
  group_interval: 5m
  repeat_interval: 4h
  routes:
    - receiver: database
      matchers: [ team="db", 'severity=~"critical|page"' ]
      continue: true
    - matchers:
        - team = shop
      receiver: shop
      mute_time_intervals: [nights, weekends]
      routes:
        - match: { severity: info }
          receiver: nobody
        - match_re:
            region: eu-.*
          mute_time_intervals: [nights]
          group_by: ['...']
    - receiver: office
      matchers: [ 'team="office"' ]
      active_time_intervals: [office]
    - receiver: chat
      matchers: [ 'team!="db"' ]
      mute_time_intervals: [nights]
    - receiver: secret
      matchers: [ '{a="b",c!~"d|e"}' ]
receivers:
  - name: default
    email_configs: [{ to: team@example.org }]
  - name: nobody
  - name: database
    webhook_configs:
      - url: http://dba.example/alerts
        send_resolved: false
        max_alerts: 5
      - url: http://127.0.0.1:8000/api/v1/webhooks/alertmanager
  - name: shop
    webhook_configs:
      - { url: 'http://shop.example/hook' }
      - { url: 'http://shop-2.example/hook' }
    slack_configs: [{ channel: '#shop' }]
  - name: office
    webhook_configs: [{ url: 'https://office:hunter2-x@office.example/hook', http_config: { follow_redirects: true } }]
  - name: chat
    webhook_configs: [{ url: 'https://chat.example/hooks/k3yk3yk3yk3yk3yk3yk3yk3y' }]
  - name: secret
    pagerduty_configs: [{ routing_key: a-very-secret-routing-key }]
    opsgenie_configs: [{ api_key: another-very-secret-key }]
inhibit_rules:
  - source_matchers: [ 'severity="critical"' ]
    target_matchers: [ 'severity=~"warning|info"' ]
    equal: [alertname, namespace]
  - source_match: { alertname: NodeDown }
    target_match_re: { alertname: "Pod.*" }
    equal: [node]
time_intervals:
  - name: nights
    time_intervals:
      - times: [{ start_time: "22:00", end_time: "24:00" }, { start_time: "00:00", end_time: "06:00" }]
        location: Asia/Taipei
  - name: office
    time_intervals:
      - times: [{ start_time: "09:00", end_time: "17:30" }]
        weekdays: ['monday:friday']
mute_time_intervals:
  - name: weekends
    time_intervals:
      - weekdays: [saturday, sunday]
        months: ['1:11']
        days_of_month: ['1:28', '-1']
        years: ['2020:2099']
`;

describe("awoooi import alertmanager.yml", () => {
  it("brings routes, webhooks, windows and inhibition along, as awoooi.yaml that is valid", async () => {
    const { settings } = await imported(EVERYTHING);
    expect(configSchema.safeParse(settings).error?.issues ?? []).toEqual([]);
    expect(settings.intake).toEqual({ resolve_timeout: "10m" });
    expect(settings.notification?.webhooks).toEqual([
      { name: "database", url: "http://dba.example/alerts" },
      { name: "shop", url: "http://shop.example/hook" },
      { name: "shop-2", url: "http://shop-2.example/hook" },
      { name: "office", url: "https://set-me.invalid/office" },
      { name: "chat", url: "https://set-me.invalid/chat" },
    ]);
    const route = createRouter((settings.notification?.routes ?? []).map((one) => routeSetting.parse(one)));
    const to = (labels: Record<string, string>) => route(labels)?.join();
    expect(to({})).toBe("chat");
    expect(to({ team: "db", severity: "page" })).toBe("database");
    expect(to({ team: "db", severity: "info" })).toBe("log");
    expect(to({ team: "shop" })).toBe("shop,shop-2");
    expect(to({ team: "shop", severity: "info" })).toBe("");
    expect(to({ team: "shop", region: "eu-1" })).toBe("shop,shop-2");
    expect(to({ team: "office" })).toBe("office");
    const nights = {
      times: [
        { start_time: "22:00", end_time: "24:00" },
        { start_time: "00:00", end_time: "06:00" },
      ],
      location: "Asia/Taipei",
    };
    // An alert that an inner route takes, or another beside it, is not silenced.
    expect(settings.maintenance?.map(({ name, matchers }) => [name, matchers])).toEqual([
      ["nights-weekends", ['team="shop"', 'severity!="info"', 'region!~"eu-.*"']],
      ["nights", ['team="shop"', 'region=~"eu-.*"', 'severity!="info"']],
      ["outside-office", ['team="office"']],
    ]);
    expect(settings.maintenance?.map((one) => one.time_intervals)).toEqual([
      [
        nights,
        {
          weekdays: ["saturday", "sunday"],
          days_of_month: ["1:28", "-1"],
          months: ["1:11"],
          years: ["2020:2099"],
        },
      ],
      [nights],
      [
        {
          times: [
            { start_time: "00:00", end_time: "09:00" },
            { start_time: "17:30", end_time: "24:00" },
          ],
        },
        { weekdays: ["sunday", "saturday"] },
      ],
    ]);
    expect(settings.inhibit_rules).toEqual([
      {
        source_matchers: ['severity="critical"'],
        target_matchers: ['severity=~"warning|info"'],
        equal: ["alertname", "namespace"],
      },
      { source_matchers: ['alertname="NodeDown"'], target_matchers: ['alertname=~"Pod.*"'], equal: ["node"] },
    ]);
  });

  it("says line by line what it did not take over, and prints no secret", async () => {
    const result = await imported(EVERYTHING);
    const lines = said(result);
    for (const [line, what] of [
      [3, "global.slack_api_url: for Alertmanager's own channels"],
      [6, "templates[0]: AWOOOI writes its cards itself"],
      [9, "route.group_by: not needed: AWOOOI counts repeated alerts"],
      [12, "route.repeat_interval: what still fires is notified again"],
      [20, "route.routes[1].mute_time_intervals: the maintenance window nights-weekends"],
      [27, "route.routes[1].routes[1].group_by: "],
      [33, "route.routes[3].mute_time_intervals: left out: it would silence every alert"],
      [38, "receivers[0].email_configs[0]: AWOOOI has no such channel yet"],
      [42, "receivers[2].webhook_configs[0]: AWOOOI posts its own card"],
      [43, "receivers[2].webhook_configs[0].send_resolved"],
      [44, "receivers[2].webhook_configs[0].max_alerts: AWOOOI has no such setting"],
      [45, "receivers[2].webhook_configs[1].url: this is AWOOOI itself"],
      [52, "receivers[4].webhook_configs[0].url: its URL may hold a secret"],
      [54, "receivers[5].webhook_configs[0].url: its URL may hold a secret"],
      [56, "receivers[6].pagerduty_configs[0]"],
    ] as const)
      expect(lines.filter((one) => one.startsWith(`${line} ${what}`))).toHaveLength(1);
    expect(lines.map((one) => Number.parseInt(one, 10))).toEqual(
      lines.map((one) => Number.parseInt(one, 10)).sort((one, other) => one - other),
    );
    expect(JSON.stringify(result)).not.toMatch(/hunter2|k3yk3y|very-secret/);
  });

  it("prints YAML on stdout and its remarks on stderr, or makes a file, and never over another", async () => {
    const path = file(EVERYTHING);
    const { code, stdout, stderr } = await server.awoooi(["import", path]);
    const { settings } = await imported(EVERYTHING);
    expect([code, parse(stdout)]).toEqual([0, settings]);
    expect(stdout).toMatch(/^# Made of .*alertmanager\.yml\..*awoooi config check\n/);
    expect(stderr).toMatch(/^line 3: global\.slack_api_url: /);
    const output = join(folder, "made.yaml");
    const made = await server.awoooi(["import", path, "--output", output]);
    expect([made.code, made.stderr]).toEqual([0, ""]);
    expect(made.stdout).toContain("line 9: route.group_by");
    expect(readFileSync(output, "utf8")).toBe(stdout);
    expect(statSync(output).mode & 0o777).toBe(0o600);
    expect((await server.awoooi(["import", path, "--output", output])).code).toBe(5);
  });

  it("knows the file by what is in it, and leaves an export to the other import", async () => {
    const minimal = "receivers: [{ name: a }]\nroute: { receiver: a }\n";
    const path = file(minimal, "without-a-name");
    expect(isTaken(path)).toBe(true);
    const { code, stdout } = await server.awoooi(["import", path]);
    expect([code, parse(stdout)]).toEqual([0, { notification: { routes: [{ receivers: [] }] } }]);
    for (const bytes of [Buffer.from([0x1f, 0x8b, 8, 0]), Buffer.from("something else")]) {
      const other = join(folder, "an-export");
      writeFileSync(other, bytes);
      const { stderr } = await server.awoooi(["import", other]);
      expect(stderr).toContain("there is no database here");
      expect((await server.awoooi(["import", other, "--output", "x"])).stderr).toContain(
        "--output is only for",
      );
    }
  });

  it.each<[string, string, string]>([
    ["broken YAML", "route: [\n", "Flow sequence"],
    ["a list", "[]", ""],
    ["no route", "receivers: [{ name: a }]", "route"],
    ["a wrong type", "route: { receiver: a, routes: {} }\nreceivers: [{ name: a }]", "route.routes: "],
    [
      "an unknown receiver",
      "route: { receiver: b }\nreceivers: [{ name: a }]",
      "route.receiver: there is no",
    ],
    [
      "a root with matchers",
      "route: { receiver: a, matchers: [b=c] }\nreceivers: [{ name: a }]",
      "route.matchers: ",
    ],
    [
      "a bad matcher",
      "route:\n  receiver: a\n  routes:\n    - matchers: ['x=~\"(\"']\nreceivers: [{ name: a }]",
      "route.routes[0].matchers: The matcher",
    ],
    [
      "an unknown time interval",
      "route: { receiver: a, routes: [{ mute_time_intervals: [never] }] }\nreceivers: [{ name: a }]",
      "route.routes[0].mute_time_intervals[0]: there is no",
    ],
    [
      "two receivers of one name",
      "route: { receiver: a }\nreceivers: [{ name: a }, { name: a }]",
      "same name",
    ],
  ])("refuses %s as Alertmanager does, and says where", async (_what, text, message) => {
    const path = file(text);
    expect(isTaken(path)).toBe(false);
    const { code, stdout, stderr } = await server.awoooi(["import", path]);
    expect([code, stdout]).toEqual([2, ""]);
    expect(stderr).toContain(message);
  });

  it("leaves a window out where it would silence what another route takes", async () => {
    const night = "time_intervals: [{ name: n, time_intervals: [{ weekdays: [monday] }] }]";
    const tree = (routes: string) =>
      imported(`route: { receiver: a, routes: [${routes}] }\nreceivers: [{ name: a }]\n${night}`);
    const muted = "{ matchers: [team=web], mute_time_intervals: [n] }";
    const windows = async (routes: string) =>
      (await tree(routes)).settings.maintenance?.map((one) => one.matchers.join()) ?? [];
    expect(await windows(muted)).toEqual(['team="web"']);
    expect(await windows(`{ matchers: [severity=page, region=eu] }, ${muted}`)).toEqual([]);
    expect(await windows(`{ matchers: [severity=page, team=db] }, ${muted}`)).toEqual(['team="web"']);
    expect(await windows(`{ matchers: [severity=page, team=web] }, ${muted}`)).toEqual([
      'team="web",severity!="page"',
    ]);
    expect(await windows(`{ receiver: a }, ${muted}`)).toEqual([]);
    const goesOn = muted.replace(" }", ", continue: true }");
    expect(await windows(`${goesOn}, { matchers: [severity=page] }`)).toEqual([
      'team="web",severity!="page"',
    ]);
  });
});
