import { once } from "node:events";
import { rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { temporaryFolder } from "../../../../../test/support/folder.ts";
import { configOf } from "../../../../../test/support/kubernetes/adapter.ts";
import { autoscalerCheck } from "../act/checks/autoscaler.ts";
import { type Clusters, createClusters } from "../cluster/client.ts";
import { failureOf } from "../cluster/failure.ts";
import { listPath, pathOf, read } from "../cluster/objects.ts";
import { createInvestigator } from "./investigator.ts";

/** Names that some label may hold, and that would name another address. */
const HOSTILE = [
  "..",
  ".",
  "../pods",
  "a/../../secrets/b",
  "web/proxy",
  "web/log",
  "%2e%2e",
  "a%2fb",
  "a?x=y",
  "a#b",
  "a\\b",
  "",
];

let folder: string;
let clusters: Clusters;
let asked: string[] = [];
const server = createServer((request, response) => {
  asked.push(request.url ?? "");
  request.resume();
  response.setHeader("content-type", "application/json");
  response.end(
    JSON.stringify({ metadata: { name: "x", namespace: "shop" }, items: [], resources: [], groups: [] }),
  );
});

beforeAll(async () => {
  folder = await temporaryFolder("names");
  await once(server.listen(0, "127.0.0.1"), "listening");
  const { port } = server.address() as AddressInfo;
  const file = join(folder, "kubeconfig");
  const settings = {
    clusters: [
      { name: "c", cluster: { server: `http://127.0.0.1:${port}`, "insecure-skip-tls-verify": true } },
    ],
    users: [{ name: "u", user: { token: "secret" } }],
    contexts: [{ name: "prod", context: { cluster: "c", user: "u" } }],
    "current-context": "prod",
  };
  await writeFile(file, JSON.stringify(settings));
  clusters = createClusters(configOf({ kubeconfig: file }));
});
afterAll(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  await rm(folder, { recursive: true, force: true });
});
beforeEach(() => {
  asked = [];
});

const cluster = () => clusters.of()!;
const outcome = (work: Promise<unknown>) =>
  work.then(
    () => 200,
    (error: unknown) => failureOf(error).status ?? String(error),
  );

describe("a name that would lead to another address", () => {
  it.each(HOSTILE)("is of no object, and not asked for: %j", async (name) => {
    const namespace = "shop";
    for (const one of [
      read(cluster(), { kind: "deployment", name, namespace }),
      read(cluster(), { kind: "pod", name: "web", namespace: name }),
      read(cluster(), { kind: "node", name }),
      cluster().raw({ method: "PATCH", path: pathOf({ kind: "deployment", name, namespace }), body: {} }),
      cluster().raw({ method: "DELETE", path: pathOf({ kind: "pod", name, namespace }) }),
      cluster().raw({ path: listPath("deployment", name) }),
      // The library builds its own.
      cluster().core.readNamespacedPod({ name, namespace }),
      cluster().core.readNamespacedPodLog({ name, namespace }),
      cluster().core.readNamespacedEndpoints({ name: "web", namespace: name }),
      cluster().batch.readNamespacedJob({ name, namespace }),
      cluster().apps.readNamespacedDeployment({ name, namespace }),
    ])
      expect(await outcome(one)).toBe(404);
    expect(asked).toEqual([]);
  });

  it.each(HOSTILE)(
    "comes from an alert, and its investigation asks for nothing but lists: %j",
    async (name) => {
      const investigator = createInvestigator(clusters);
      for (const kind of [
        "deployment",
        "pod",
        "node",
        "job",
        "statefulset",
        "persistentvolumeclaim",
        "persistentvolume",
        "service",
      ])
        for (const place of [
          { name, namespace: "shop" },
          { name: "web", namespace: name },
        ])
          await investigator.investigate(
            { kind, ...place } as never,
            new Date(),
            AbortSignal.timeout(20_000),
          );
      await outcome(
        autoscalerCheck(cluster(), { kind: "deployment", name: "web", namespace: name }, 3, "exactly"),
      );
      for (const url of asked) {
        const path = url.split("?")[0] ?? "";
        expect(path).not.toMatch(/secrets|\/pods\/[^/]+\/|%|\.\./i);
        expect(path.split("/").slice(1)).not.toContain("");
      }
    },
  );

  it("is no name with dots, which many have", async () => {
    expect(await outcome(read(cluster(), { kind: "node", name: "ip-10-0-0-1.eu.internal" }))).toBe(200);
    expect(asked).toEqual(["/api/v1/nodes/ip-10-0-0-1.eu.internal"]);
  });
});
