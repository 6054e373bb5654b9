import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parse } from "yaml";
import { Description, describedServer } from "../../../test/support/openapi.ts";
import type { App } from "../fastify.ts";

let app: App;
let api: Description;
beforeAll(async () => {
  app = await describedServer();
  api = new Description(app.swagger() as unknown as Record<string, unknown>);
});
afterAll(() => app.close());

const sent = async (url: string, method: "POST" | "PUT" | "GET" = "POST") => {
  const answer = await app.inject({ method, url });
  return { status: answer.statusCode, detail: String(answer.json().detail) };
};

describe("alerts that are sent to the wrong path", () => {
  it.each([
    ["/api/v1/webhooks/prometheus", ["/api/v1/webhooks/alertmanager", "/api/v2/alerts"]],
    ["/api/v1/webhooks/alertmanager/", ["/api/v1/webhooks/alertmanager"]],
    ["/api/v1/webhooks/alertmanger", ["/api/v1/webhooks/alertmanager"]],
    ["/api/v1/webhooks/Alertmanager?token=x", ["/api/v1/webhooks/alertmanager"]],
    ["/api/v1/webhook/alertmanager", ["/api/v1/webhooks/alertmanager"]],
    ["/alertmanager/webhook", ["/api/v1/webhooks/alertmanager"]],
    ["/api/v1/alerts", ["/api/v1/webhooks/alerts"]],
    ["/api/v1/webhooks/alert", ["/api/v1/webhooks/alerts"]],
    ["/alerts", ["/api/v1/webhooks/alerts"]],
    ["/api/v1/webhooks/uptimekuma", ["/api/v1/webhooks/uptime-kuma"]],
    ["/webhooks/kuma", ["/api/v1/webhooks/uptime-kuma"]],
    ["/api/v1/webhooks/sentry", ["/api/v1/webhooks/sentry/error"]],
    ["/api/v1/webhooks/pagerduty", ["/api/v1/webhooks/pagerduty/v2/enqueue"]],
    ["/api/v1/webhooks/grafanna", ["/api/v1/webhooks/grafana"]],
    ["/api/v1/webhooks/datadog", ["/api/v1/webhooks/custom/NAME"]],
  ])("are told which one was meant: %s", async (url, meant) => {
    const { status, detail } = await sent(url);
    expect([404, 405]).toContain(status);
    const [, ...said] = detail.split("Did you mean POST ");
    for (const path of meant) expect(said.join("")).toContain(path);
    expect(said.join("").match(/\/api\//g)?.length).toBe(meant.length);
  });

  it.each(["/", "/webhook", "/hooks", "/api/v1/webhooks", "/api/v1/webhooks/wibble", "/api/v1"])(
    "are told all that there are where nothing says which: %s",
    async (url) => {
      const { detail } = await sent(url);
      for (const path of ["/api/v1/webhooks/alertmanager", "/api/v1/webhooks/grafana", "/api/v2/alerts"])
        expect(detail).toContain(path);
    },
  );

  it("knows every vendor that there is a map for", async () => {
    const presets = new URL("../../adapters/sources/custom/presets.yaml", import.meta.url);
    for (const vendor of Object.keys(parse(await readFile(presets, "utf8"))))
      expect((await sent(`/api/v1/webhooks/${vendor}`)).detail).toContain("/api/v1/webhooks/custom/NAME");
  });

  it("is told of webhooks that there are, and nobody who asked for something else", async () => {
    const { detail } = await sent("/webhook");
    const named = [...detail.matchAll(/\/api\/[\w/:-]+/g)].map(([path]) => path.replace("NAME", "{name}"));
    for (const path of named) expect(api.find("POST", path)).toBeDefined();
    expect(named.length).toBeGreaterThan(8);
    for (const url of ["/wp-login.php", "/api/v1/incidentss", `/${"webhook".repeat(100)}`])
      expect((await sent(url)).detail).not.toMatch(/Did you mean|Alerts are sent/);
    expect((await sent("/webhook", "GET")).detail).not.toContain("alertmanager");
    expect(await sent("/api/v1/webhooks/grafana", "PUT")).toEqual({
      status: 405,
      detail: "PUT is not allowed here; POST is.",
    });
  });
});

describe("the address itself", () => {
  it("says what this is, as text or JSON, and nothing of the installation", async () => {
    const at = async (accept: string) => app.inject({ method: "GET", url: "/", headers: { accept } });
    const page = await at("text/html,application/xhtml+xml,*/*;q=0.8");
    expect(page.statusCode).toBe(200);
    expect(page.headers["content-type"]).toBe("text/plain; charset=utf-8");
    expect(page.body).toContain("incident responder");
    expect((await at("*/*")).headers["content-type"]).toBe("text/plain; charset=utf-8");
    const json = await at("application/json");
    const answer = { method: "GET", path: "/", status: 200, type: "application/json", body: json.body };
    expect(api.faultsOf(answer)).toEqual([]);
    const paths = Object.values(JSON.parse(json.body).links as Record<string, string>);
    for (const path of paths.filter((one) => one !== "/api/v2"))
      expect(api.find("GET", path) ?? api.find("POST", path)).toBeDefined();
    for (const { body } of [page, json]) expect(body).not.toMatch(/\d+\.\d+\.\d+/);
  });
});

describe("a probe that asks at a path of others", () => {
  it.each(["/health", "/healthz", "/livez?verbose", "/-/ready", "/api/health", "/ping"])(
    "is told from %s where the health is",
    async (url) => {
      const { status, detail } = await sent(url, "GET");
      expect(status).toBe(404);
      for (const path of detail.match(/\/api\/v1\/health[a-z/]*/g) ?? [])
        expect((await sent(path, "GET")).status).not.toBe(404);
      expect(detail).toContain("/api/v1/health/ready");
    },
  );

  it("is told nothing of paths that are no probe's", async () => {
    expect((await sent("/healthcare", "GET")).detail).toBe("There is no GET /healthcare.");
  });
});
