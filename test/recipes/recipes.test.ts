import { execFile } from "node:child_process";
import { createHmac } from "node:crypto";
import { cp, mkdir, readFile, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { clearFolder, temporaryFolder } from "../support/folder.ts";
import { type Server, startServer } from "../support/server.ts";
import { until } from "../support/until.ts";
import {
  ASK_OPERATION,
  FILE_NOTIFIER,
  PAUSE_ROLLOUT,
  SHOP_BELL,
  SWEEP_JITTER,
  SWEEP_LANES,
} from "./parts.ts";

const ROOT = join(import.meta.dirname, "../..");
const SECRET = "the-secret-of-the-bell-of-the-shop";

let folder: string;
let tree: string;
let server: Server;

const awoooi = (...args: string[]): Promise<string> => awoooiWith("", ...args);

async function awoooiWith(stdin: string, ...args: string[]): Promise<string> {
  const running = promisify(execFile)(process.execPath, [join(tree, "bin/awoooi.js"), ...args], {
    cwd: folder,
    env: { PATH: process.env.PATH, HOME: process.env.HOME },
  });
  running.child.stdin?.end(stdin);
  return (await running).stdout;
}

/** Adds a file to the copy of the tree. */
async function add(path: string, text: string): Promise<void> {
  await mkdir(dirname(join(tree, path)), { recursive: true });
  await writeFile(join(tree, path), text);
}

/** Adds its line to the list of this name: with the import, which an editor adds. */
async function list(file: string, of: string, { name, from }: { name: string; from: string }): Promise<void> {
  const text = await readFile(join(tree, file), "utf8");
  const longer = text.replace(
    new RegExp(`(const ${of}\\b[^=]*= \\[[^\\]]*?),?\\s*\\]`),
    (_whole, begin: string) => `${begin}, ${name}]`,
  );
  expect(longer).not.toBe(text);
  await writeFile(join(tree, file), `import { ${name} } from "${from}";\n${longer}`);
}

/** Adds a line behind the one that begins so. */
async function line(file: string, behind: string, added: string): Promise<void> {
  const text = await readFile(join(tree, file), "utf8");
  expect(text).toContain(behind);
  await writeFile(join(tree, file), text.replace(behind, `${behind}\n    ${added}`));
}

beforeAll(async () => {
  folder = await temporaryFolder("recipe");
  tree = join(folder, "tree");
  for (const part of ["src", "bin", "docs/reference", "package.json"])
    await cp(join(ROOT, part), join(tree, part), { recursive: true });
  await symlink(join(ROOT, "node_modules"), join(tree, "node_modules"));
  await add("src/adapters/sources/shop-bell/index.ts", SHOP_BELL);
  await list("src/app/adapters.ts", "SOURCES", {
    name: "shopBell",
    from: "../adapters/sources/shop-bell/index.ts",
  });
  await add("src/adapters/notifiers/file/index.ts", FILE_NOTIFIER);
  await list("src/app/adapters.ts", "NOTIFIERS", {
    name: "file",
    from: "../adapters/notifiers/file/index.ts",
  });
  await add("src/operation/kinds/kubernetes-rollout-pause.ts", PAUSE_ROLLOUT);
  await list("src/operation/operation.ts", "DEFINITIONS", {
    name: "pauseRollout",
    from: "./kinds/kubernetes-rollout-pause.ts",
  });
  await line("src/app/config/schema.ts", "  sweep: section({", SWEEP_JITTER);
  await line("src/app/config/schema.ts", "  sweep: section({", SWEEP_LANES);
  const notification = { file: join(folder, "told") };
  server = await startServer(
    folder,
    { server: { port: 0 }, notification },
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

describe("a notifier that is one folder and one line", () => {
  it("is told of incidents, and routes may name it", async () => {
    const { incident_id } = (await (
      await ring("/ring", { bell: "Fire", rings: "on" }, "another-secret")
    ).json()) as {
      incident_id: string;
    };
    expect(incident_id).toMatch(/^INC-/);
    await until(
      async () => (await readFile(join(folder, "told"), "utf8").catch(() => "")).includes("Fire"),
      "a card",
    );
    const config = join(folder, "routed.yaml");
    await writeFile(config, "notification: { file: /tmp/told, routes: [{ receivers: [file] }] }\n");
    expect(await awoooi("config", "check", "--config", config)).not.toContain("there is no channel");
  });
});

describe("an operation that is one file and one line", () => {
  it("is listed, parsed, described and shown as a command", async () => {
    expect(await awoooi("operations", "ls")).toMatch(
      /kubernetes\.rollout_pause +kubernetes_rollout_pause +write +medium/,
    );
    await writeFile(join(tree, "ask.ts"), ASK_OPERATION);
    const { stdout } = await promisify(execFile)(process.execPath, [join(tree, "ask.ts")]);
    expect(JSON.parse(stdout)).toEqual([
      "Pause the rollout of deployment api in shop",
      "kubectl rollout pause deployment/api -n shop",
      "medium",
      "function",
      "kubernetes.rollout_pause",
    ]);
  });

  it("is what its command is read as, within the safeguards of the tool", async () => {
    const texts = [
      "kubectl rollout pause deploy/api -n shop --context=kind-x",
      "kubectl rollout pause deploy/api -n shop -f all.yaml",
      "kubectl rollout pause job/api -n shop",
      "kubectl rollout pause deploy/api -n shop; reboot",
    ];
    const parsed = (await awoooiWith(`${texts.join("\n")}\n`, "operations", "parse"))
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(parsed[0]).toMatchObject({
      class: "operation",
      approval: "required",
      reason: "pauses a rollout",
      operation: {
        kind: "kubernetes.rollout_pause",
        target: { kind: "deployment", name: "api", namespace: "shop", cluster: "kind-x" },
        parameters: {},
      },
    });
    expect(parsed.slice(1)).toMatchObject([
      { class: "refused", reason: expect.stringContaining("--filename") },
      { class: "refused", reason: expect.stringContaining("target.kind") },
      { class: "refused", reason: expect.stringContaining('"reboot"') },
    ]);
  });
});

describe("an operation that claims what none may", () => {
  it.each([
    ["a verb that runs programs", '"rollout pause": {', "exec: {", "no operation is read from it"],
    ["the name of another", "PAUSE_ROLLOUT:", "CORDON_NODE:", "two operations have the name CORDON_NODE"],
  ])("does not start: %s", async (_what, own, claimed, error) => {
    const file = "src/operation/kinds/kubernetes-rollout-pause.ts";
    await add(file, PAUSE_ROLLOUT.replace(own, claimed));
    try {
      const failure = await awoooi("operations", "ls").catch((failed) => String(failed.stderr));
      expect(failure).toContain(error);
    } finally {
      await add(file, PAUSE_ROLLOUT);
    }
  });
});

describe("a setting that is one line", () => {
  it("has its default and description in the reference, the schema and what is shown", async () => {
    const reference = await awoooi("config", "reference");
    expect(reference).toContain("  jitter: 500ms # by how much two rounds differ");
    expect(reference).toMatch(/A restart is needed for [^:]*\bsweep\.lanes\b/s);
    expect(reference).not.toContain("sweep.jitter");
    expect(JSON.parse(await awoooi("config", "schema"))).toMatchObject({
      properties: {
        sweep: { properties: { jitter: { default: "500ms", description: "by how much two rounds differ" } } },
      },
    });
    const config = join(folder, "jitter.yaml");
    await writeFile(config, "sweep: { jiter: 1s }\n");
    const refused = await awoooi("config", "check", "--config", config).catch((error) =>
      String(error.stdout),
    );
    expect(refused).toContain("did you mean `jitter`?");
    await writeFile(config, "sweep: { jitter: 2s }\n");
    expect(await awoooi("config", "show", "--config", config)).toMatch(/sweep\.jitter +2s +\S+jitter\.yaml/);
  });

  it("is changed by a reload, unless it says that it needs a restart", async () => {
    const config = join(folder, "awoooi.yaml");
    const before = await readFile(config, "utf8");
    await writeFile(config, `${before}\nsweep: { jitter: 1s }\n`);
    const { changed } = await server.admin.post<{ changed: string[] }>("/config/reload");
    expect(changed).toEqual(["sweep.jitter"]);
    await writeFile(config, `${before}\nsweep: { jitter: 1s, lanes: 3 }\n`);
    await expect(server.admin.post("/config/reload")).rejects.toThrow(/restart/);
  });
});
