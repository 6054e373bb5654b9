import { execFile } from "node:child_process";
import { createHmac } from "node:crypto";
import { cp, mkdir, readFile, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { clearFolder, temporaryFolder } from "../support/folder.ts";
import { type Server, startServer } from "../support/server.ts";
import { until } from "../support/until.ts";

const ROOT = join(import.meta.dirname, "../..");
const SECRET = "the-secret-of-the-bell-of-the-shop";

/** All that there is of the source: the one file of its folder. */
const SHOP_BELL = `
import { z } from "zod";
import { decodeEach, genericAlert, inSteps, type Source, type SourceKind } from "../../../intake/index.ts";
import { secret } from "../../../lib/secret-setting.ts";

const ring = z.object({ bell: z.string(), rings: z.enum(["on", "off"]) });
const settings = z.strictObject({ secrets: secret(z.array(z.string().min(8))).default([]) });
type Settings = z.output<typeof settings>;
const form = { header: "Shop-Bell-Signature", prefix: "", what: "the shop's bell", settings: "shop_bell.secrets" };

export const shopBell = {
  id: "shop-bell",
  name: "Shop bell",
  keywords: ["bell"],
  endpoints: [{ path: "/api/v1/webhooks/shop-bell", aliases: ["/ring"], summary: "The bell of the shop", body: ring }],
  credentials: { header: form.header, description: "The HMAC of the body." },
  documentation: "sources.md#shop-bell",
  settings: {
    path: "shop_bell",
    schema: settings.prefault({}),
    environment: { SHOP_BELL_SECRET: "secrets[]" },
  },
  create: ({ secrets }: Settings): Source => ({
    id: "shop-bell",
    sender: ({ signature }) => signature({ form, secrets }),
    decode: inSteps((body) =>
      decodeEach(body, (raw, position) => {
        const { data } = ring.safeParse(raw);
        if (data === undefined) return "is no ring";
        const none = { severity: null, source: null, target_resource: null, namespace: null, message: null };
        const status = data.rings === "on" ? "firing" : "resolved";
        const own = genericAlert({ ...none, status, name: data.bell, labels: {}, annotations: {} }, position);
        return own ?? "has no name";
      }),
    ),
  }),
} as const satisfies SourceKind<Settings>;
`;

let folder: string;
let tree: string;
let server: Server;

async function awoooi(...args: string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(process.execPath, [join(tree, "bin/awoooi.js"), ...args], {
    cwd: folder,
    env: { PATH: process.env.PATH, HOME: process.env.HOME },
  });
  return stdout;
}

beforeAll(async () => {
  folder = await temporaryFolder("recipe");
  tree = join(folder, "tree");
  for (const part of ["src", "bin", "docs/reference", "package.json"])
    await cp(join(ROOT, part), join(tree, part), { recursive: true });
  await symlink(join(ROOT, "node_modules"), join(tree, "node_modules"));
  await mkdir(join(tree, "src/adapters/sources/shop-bell"));
  await writeFile(join(tree, "src/adapters/sources/shop-bell/index.ts"), SHOP_BELL);
  const list = join(tree, "src/app/adapters.ts");
  const text = await readFile(list, "utf8");
  const line = 'import { shopBell } from "../adapters/sources/shop-bell/index.ts";\n';
  await writeFile(list, line + text.replace("  custom,\n];", "  custom,\n  shopBell,\n];"));
  server = await startServer(
    folder,
    { server: { port: 0 } },
    { SHOP_BELL_SECRET: SECRET },
    join(tree, "bin/awoooi.js"),
  );
});
afterAll(async () => {
  await server?.stop();
  await clearFolder(folder);
});

const ring = (path: string, body: object, secret = SECRET) => {
  const text = JSON.stringify(body);
  const signature = createHmac("sha256", secret).update(text).digest("hex");
  return fetch(server.url + path, {
    method: "POST",
    headers: { "shop-bell-signature": signature },
    body: text,
  });
};

describe("a source that is one folder and one line", () => {
  it("takes alerts of senders who sign as it says, also under its other path, and refuses others", async () => {
    expect(
      (await ring("/api/v1/webhooks/shop-bell", { bell: "DoorOpen", rings: "on" }, "another")).status,
    ).toBe(401);
    const answer = await ring("/ring", { bell: "DoorOpen", rings: "on" });
    expect(answer.status).toBe(200);
    const { incident_id } = (await answer.json()) as { incident_id: string };
    expect(await server.admin.get(`/incidents/${incident_id}`)).toMatchObject({ title: /DoorOpen/ });
  });

  it("is in the list of sources, the API's description, and the hints for who took a wrong path", async () => {
    const { items } = await server.admin.get<{ items: { source: string; path: string }[] }>("/sources");
    expect(items).toContainEqual(
      expect.objectContaining({ source: "shop-bell", path: "/api/v1/webhooks/shop-bell" }),
    );
    const api = await (await fetch(`${server.url}/api/v1/openapi.json`)).json();
    expect(api).toMatchObject({
      paths: {
        "/api/v1/webhooks/shop-bell": {
          post: { summary: "The bell of the shop", security: [{ "shop-bellSignature": [] }, {}, {}, {}] },
        },
      },
      components: { securitySchemes: { "shop-bellSignature": { name: "Shop-Bell-Signature" } } },
    });
    const lost = await fetch(`${server.url}/api/v1/webhooks/bell`, { method: "POST" });
    expect(await lost.text()).toContain("Did you mean POST /api/v1/webhooks/shop-bell?");
  });

  it("has its settings in the schema, its secrets redacted, and its bodies tried without a server", async () => {
    expect(JSON.parse(await awoooi("config", "schema"))).toMatchObject({
      properties: { shop_bell: { properties: { secrets: { writeOnly: true } } } },
    });
    const config = join(folder, "bell.yaml");
    await writeFile(config, `shop_bell: { secrets: [${SECRET}] }\n`);
    const shown = await awoooi("config", "show", "--config", config);
    expect(shown).toContain("shop_bell.secrets");
    expect(shown).not.toContain(SECRET);
    const file = join(folder, "ring.json");
    await writeFile(file, '{"bell": "DoorOpen", "rings": "on"}');
    expect(await awoooi("sources", "test", "--source", "shop-bell", "--file", file)).toContain("DoorOpen");
  });

  it("is told its settings by a reload", async () => {
    const config = join(folder, "awoooi.yaml");
    await writeFile(config, `${await readFile(config, "utf8")}\nshop_bell: { secrets: [another-secret] }\n`);
    await server.admin.post("/config/reload");
    await until(
      async () => (await ring("/ring", { bell: "DoorOpen", rings: "on" }, "another-secret")).status === 200,
      "the new secret to be taken",
    );
  });
});
