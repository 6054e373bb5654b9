import { chmod, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { clearFolder, temporaryFolder } from "../../../../../test/support/folder.ts";
import { adapterOf, configOf } from "../../../../../test/support/kubernetes/adapter.ts";
import { checkConfig } from "../../../../app/config/check.ts";
import type { AwoooiError } from "../../../../lib/error.ts";
import { redactText } from "../../../../lib/redact.ts";
import { kubernetes } from "../index.ts";
import { failureOf } from "./failure.ts";

let folder: string;
beforeAll(async () => {
  folder = await temporaryFolder("kubeconfig");
});
afterAll(() => clearFolder(folder));

type Parts = { server?: string; context?: string | null; user?: object; cluster?: object };
async function kubeconfig(
  name: string,
  { server = "https://127.0.0.1:1", context = "prod", user = {}, cluster }: Parts = {},
) {
  const file = join(folder, name);
  const settings = {
    clusters: [{ name: "c", cluster: cluster ?? { server } }],
    users: [{ name: "u", user }],
    contexts: [
      { name: "prod", context: { cluster: "c", user: "u" } },
      { name: "orphan", context: { cluster: "gone", user: "u" } },
    ],
    ...(context === null ? {} : { "current-context": context }),
  };
  await writeFile(file, JSON.stringify(settings));
  return file;
}
const problem = (settings: object) => {
  try {
    adapterOf(settings);
    return "none";
  } catch (error) {
    const { errors } = error as AwoooiError;
    return errors.map(({ path, message }) => `${path}: ${message}`).join("; ");
  }
};

describe("the configuration of clusters", () => {
  it("is off unless one is named", () => {
    expect(kubernetes.create(configOf({}))).toBeNull();
  });

  it("calls a cluster by its context, and the first one the default; nothing is asked of them", async () => {
    const file = await kubeconfig("two");
    expect(adapterOf({ kubeconfig: file }).clusters.names).toEqual(["prod"]);
    const { clusters } = adapterOf({
      clusters: [
        { name: "eu", kubeconfig: file, aliases: ["eu-1"] },
        { name: "us", kubeconfig: file, context: "prod" },
      ],
    });
    expect([undefined, "eu", "eu-1", "us", "asia"].map((name) => clusters.of(name)?.name)).toEqual([
      "eu",
      "eu",
      "eu",
      "us",
      undefined,
    ]);
  });

  it.each([
    ["a file that is not there", async () => ({ kubeconfig: join(folder, "none") }), /none does not exist/],
    [
      "an unknown context",
      async () => ({ kubeconfig: await kubeconfig("a"), context: "x" }),
      /no context "x"; it has: prod, orphan/,
    ],
    [
      "no context at all",
      async () => ({ kubeconfig: await kubeconfig("b", { context: null }) }),
      /no current-context: set context/,
    ],
    [
      "a context without its cluster",
      async () => ({ kubeconfig: await kubeconfig("c"), context: "orphan" }),
      /cluster "gone", which is not in it/,
    ],
    [
      "plain http",
      async () => ({ kubeconfig: await kubeconfig("d", { server: "http://10.0.0.1" }) }),
      /plain http/,
    ],
    [
      "a certificate that is not there",
      async () => ({
        kubeconfig: await kubeconfig("e", {
          cluster: { server: "https://x", "certificate-authority": "ca.crt" },
        }),
      }),
      /ca\.crt, which does not exist/,
    ],
    ["no cluster that it runs in", async () => ({ in_cluster: true }), /not a pod with a service account/],
  ])("says what is wrong with %s", async (_, settings, message) => {
    expect(problem(await settings())).toMatch(message);
  });

  it("says what is wrong with several at once, and quotes no line of a file that holds a token", async () => {
    const broken = join(folder, "broken");
    await writeFile(broken, 'users:\n- user: {token: hunter2hunter2\n  "x": [');
    const empty = join(folder, "empty");
    await writeFile(empty, "");
    const text = problem({
      clusters: [
        { name: "a", kubeconfig: broken },
        { name: "b", kubeconfig: empty },
      ],
    });
    expect(text).toMatch(
      /kubernetes\.clusters\.0: .*is not a kubeconfig: .*kubernetes\.clusters\.1: .*is empty/s,
    );
    expect(text).not.toContain("hunter2");
  });

  it("has the token of a kubeconfig redacted from then on, wherever it turns up", async () => {
    adapterOf({ kubeconfig: await kubeconfig("token", { user: { token: "correct-horse-battery" } }) });
    expect(redactText("a proxy said correct-horse-battery")).toBe("a proxy said [redacted]");
  });

  it.each([
    [{ in_cluster: true, kubeconfig: "x" }, "in_cluster needs no kubeconfig or context"],
    [{ context: "x" }, "needs a kubeconfig, or in_cluster: true"],
    [{ clusters: [{ name: "a" }] }, "needs a kubeconfig, or in_cluster: true"],
    [{ kubeconfig: "x", clusters: [{ name: "a", kubeconfig: "x" }] }, "move that one into `clusters`"],
    [
      {
        clusters: [
          { name: "a", kubeconfig: "x", aliases: ["b"] },
          { name: "b", kubeconfig: "x" },
        ],
      },
      'two clusters are called "b"',
    ],
  ])("refuses %j", (settings, message) => {
    const { error } = kubernetes.settings.schema.safeParse(settings);
    expect(error?.issues.map((one) => one.message)).toEqual([expect.stringContaining(message)]);
  });

  it("is looked at by config check", async () => {
    const file = join(folder, "awoooi.yaml");
    await writeFile(file, `kubernetes: { kubeconfig: ${join(folder, "none")} }`);
    await chmod(file, 0o600);
    const { errors } = checkConfig({ file, env: {} });
    expect(errors).toEqual([{ path: "kubernetes", message: expect.stringContaining("does not exist") }]);
  });

  it("with a plugin that fails or hangs sends nothing, and says so in time", async () => {
    const plugin = (args: string[]) => ({
      exec: { apiVersion: "client.authentication.k8s.io/v1", command: process.execPath, args },
    });
    const fails = await kubeconfig("fails", {
      user: plugin(["-e", "console.error('no ticket'); process.exit(1)"]),
    });
    const error = await adapterOf({ kubeconfig: fails })
      .clusters.of()!
      .raw({ path: "/version" })
      .catch(failureOf);
    expect(error).toMatchObject({ sent: false, message: expect.stringContaining("no ticket") });
    const hangs = await kubeconfig("hangs", { user: plugin(["-e", "setTimeout(() => {}, 5_000)"]) });
    const late = adapterOf({ kubeconfig: hangs, request_timeout: "200ms" }).clusters.of()!;
    expect(await late.raw({ path: "/version" }).catch(failureOf)).toMatchObject({
      sent: false,
      message: expect.stringContaining("timed out"),
    });
  });
});
