import { copyFile, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { certificate, startHost, type TestHost } from "../../../../test/support/host/index.ts";
import { until } from "../../../../test/support/until.ts";
import type { Executor, Run } from "../../../execution/index.ts";
import { silentLog } from "../../../lib/log.ts";
import { type Operation, operation } from "../../../operation/index.ts";
import type { PerformedAction } from "../../../verification/index.ts";
import { type SshHosts, ssh } from "./index.ts";

const NEVER = new AbortController().signal;

let there: TestHost;
let hosts: SshHosts;
let executor: Executor;

function create(own: Record<string, unknown> = {}): SshHosts {
  const { port, user, privateKeyFile: identity_file, knownHostsFile } = there;
  const web = { name: "web1", aliases: ["web"], address: "127.0.0.1", port, user, identity_file, ...own };
  const patient = { connect_timeout: "2m", command_timeout: "5m" };
  const config = ssh.settings.schema.parse({
    known_hosts: [knownHostsFile],
    settle: "0s",
    hosts: [web],
    ...patient,
  });
  return ssh.create(config, { log: silentLog }) as SshHosts;
}

beforeAll(async () => {
  there = await startHost();
  hosts = create({ compose: [{ project: "shop", dir: "/srv/shop" }] });
  executor = hosts.executor;
  await there.unit("nginx.service");
  await there.unit("shop@1.service", { ActiveState: "failed", SubState: "failed", NRestarts: 5 });
  const labels = { "com.docker.compose.project": "shop", "com.docker.compose.service": "api" };
  await there.container("web");
  await there.container("shop-api-1", { Config: { Image: "api:1", Labels: labels } });
});
afterAll(async () => {
  await hosts.close();
  await there.stop();
});
beforeEach(() => there.forget("calls"));

const make = (kind: string, target: object, parameters: object = {}): Operation =>
  operation.parse({ kind, target, parameters });
const unit = (name: string, host = "web1") => make("host.systemctl_restart", { kind: "unit", name, host });
const container = (name: string) => make("host.docker_restart", { kind: "container", name, host: "web1" });
const service = (name: string, parameters: object = {}) =>
  make("host.docker_compose_restart", { kind: "compose_service", name, host: "web1" }, parameters);
const onHost = (kind: string, parameters: object = {}, name = "web1") =>
  make(`host.${kind}`, { kind: "host", name }, parameters);
const run = (before: Record<string, unknown>, attempt = 1): Run => ({
  execution_id: "EXE-1",
  attempt,
  before,
});
const observe = (of: Operation, before?: Record<string, unknown>) => {
  const deed: { deed?: PerformedAction } = before === undefined ? {} : { deed: { operation: of, before } };
  return hosts.observer.observe(of.target as never, new Date(), deed.deed);
};
const check = (checks: readonly { name: string }[], name: string) => checks.find((one) => one.name === name);
/** Programs that were called, without those that only look. */
const changes = async () =>
  (await there.calls()).filter(
    (call) => /restart|reload|prune|renew|truncate/.test(call.join(" ")) && call[0] !== "sudo",
  );

describe("a host", () => {
  it("is found by its name, an alias or its address; others are not", async () => {
    for (const host of ["web1", "web", "127.0.0.1", "WEB1"]) {
      expect(await executor.resolve(unit("nginx", host))).toMatchObject({
        result: "hit",
        exact: { target: { host: "web1", name: "nginx.service" } },
      });
    }
    expect(await executor.resolve(unit("nginx", "web2"))).toEqual({ result: "suggestion", names: ["web1"] });
    expect(await executor.resolve(unit("nginx", "elsewhere"))).toMatchObject({ result: "miss" });
    expect(executor.kinds).toHaveLength(9);
  });
});

describe("systemctl restart", () => {
  it("knows what is there, and what may have been meant", async () => {
    expect(await executor.resolve(unit("nginx.service"))).toMatchObject({ result: "hit" });
    expect(await executor.resolve(unit("ngnix"))).toEqual({ result: "suggestion", names: ["nginx.service"] });
    expect(await executor.resolve(unit("shop@1"))).toMatchObject({ result: "hit" });
    expect(await executor.resolve(unit("postgresql"))).toMatchObject({ result: "miss" });
  });

  it("is tried, done, seen and told from not having been done", async () => {
    const asked = unit("shop@1.service");
    const { checks } = await executor.dryRun(asked);
    expect(checks.filter((one) => !one.passed)).toEqual([]);
    expect(check(checks, "host reachable, key verified")).toMatchObject({
      message: expect.stringContaining("SHA256:"),
    });
    expect(check(checks, "present state")).toMatchObject({
      message: expect.stringContaining("failed (failed)"),
    });
    expect(await changes()).toEqual([]);
    const before = await executor.snapshot(asked);
    expect(before).toMatchObject({
      unit: "shop@1.service",
      restarts: 5,
      invocation: expect.stringMatching(/^\w{32}$/),
    });
    expect(await observe(asked, before)).toMatchObject({ healthy: false });
    expect(await executor.effect(asked, run(before))).toBe("not_done");
    expect(await executor.act(asked, run(before), NEVER)).toMatchObject({ ok: true });
    expect(await changes()).toEqual([["systemctl", "restart", "--", "shop@1.service"]]);
    expect(await executor.effect(asked, run(before))).toBe("done");
    expect(await observe(asked, before)).toMatchObject({ healthy: true });
    expect(executor.undo(asked, before)).toMatchObject({
      ok: false,
      reason: expect.stringContaining("cannot be undone"),
    });
  });

  it("is not repeated where an earlier attempt has taken effect", async () => {
    const asked = unit("nginx.service");
    const before = await executor.snapshot(asked);
    await executor.act(asked, run(before), NEVER);
    expect(await executor.act(asked, run(before, 2), NEVER)).toMatchObject({
      ok: true,
      output: "It had already taken effect",
    });
    expect(await changes()).toHaveLength(1);
  });

  it("is not taken for ours when systemd has started it by itself", async () => {
    const asked = unit("nginx.service");
    const before = await executor.snapshot(asked);
    await there.unit("nginx.service", { NRestarts: 3 });
    expect(await executor.effect(asked, run(before))).toBe("cannot_tell");
    expect(await observe(asked, before)).toMatchObject({ healthy: false });
    await there.unit("nginx.service");
  });

  it("fails with what the program says", async () => {
    const asked = unit("gone.service");
    expect(await executor.act(asked, run({}), NEVER)).toMatchObject({
      ok: false,
      sent: true,
      error: expect.stringMatching(/^exit code 5: Failed to restart gone\.service/),
      stderr: expect.stringContaining("not found"),
    });
  });

  it("has an unknown outcome when the connection is cut, and its effect is looked at", async () => {
    const asked = unit("nginx.service");
    const before = await executor.snapshot(asked);
    await there.hang("systemctl restart");
    const acting = executor.act(asked, run(before), NEVER);
    await until(async () => (await there.hanging()).length > 0, "the command to hang");
    await there.dropConnections();
    expect(await acting).toMatchObject({ ok: false, sent: true });
    await there.forget("hang.json");
    expect(await executor.effect(asked, run(before))).toBe("not_done");
  });

  it("acts on allowed units only", async () => {
    const strict = create({ units: ["nginx"], containers: ["web"] });
    expect(await strict.executor.resolve(unit("nginx"))).toMatchObject({ result: "hit" });
    expect(await strict.executor.resolve(unit("shop@1"))).toMatchObject({
      result: "miss",
      message: expect.stringContaining("ssh.hosts.units"),
    });
    expect(await strict.executor.resolve(container("shop-api-1"))).toMatchObject({ result: "miss" });
    // Also when nobody has asked before.
    for (const asked of [unit("shop@1"), container("shop-api-1")])
      expect(await strict.executor.act(asked, run({}), NEVER)).toMatchObject({ ok: false, sent: false });
    expect(await changes()).toEqual([]);
    await strict.close();
  });
});

describe("sudo", () => {
  it("runs the very command, without asking for a password", async () => {
    const withSudo = create({ sudo: true });
    const asked = unit("nginx.service");
    const { checks } = await withSudo.executor.dryRun(asked);
    expect(check(checks, "permission")).toMatchObject({
      passed: true,
      message: "sudo allows: /usr/bin/systemctl restart -- nginx.service",
    });
    expect(await withSudo.executor.act(asked, run({}), NEVER)).toMatchObject({ ok: true });
    expect(await there.calls()).toContainEqual([
      "sudo",
      "-n",
      "--",
      "systemctl",
      "restart",
      "--",
      "nginx.service",
    ]);
    await withSudo.close();
  });

  it("that refuses is said before and when it is done", async () => {
    const withSudo = create({ sudo: true });
    await there.file("sudo-refuses");
    const { checks } = await withSudo.executor.dryRun(unit("nginx.service"));
    expect(check(checks, "permission")).toMatchObject({
      passed: false,
      message: expect.stringContaining("a password is required"),
    });
    expect(await withSudo.executor.act(unit("nginx.service"), run({}), NEVER)).toMatchObject({
      ok: false,
      error: "exit code 1: sudo: a password is required",
    });
    await there.forget("sudo-refuses");
    await withSudo.close();
  });
});

describe("docker restart", () => {
  it("is tried, done, seen and told from not having been done", async () => {
    const asked = container("web");
    expect(await executor.resolve(asked)).toMatchObject({ result: "hit" });
    expect(await executor.resolve(container("wbe"))).toEqual({ result: "suggestion", names: ["web"] });
    const { checks } = await executor.dryRun(asked);
    expect(checks.filter((one) => !one.passed)).toEqual([]);
    expect(check(checks, "permission")).toMatchObject({ message: "docker 24.0.7 answers" });
    const before = await executor.snapshot(asked);
    expect(await executor.effect(asked, run(before))).toBe("not_done");
    expect(await executor.act(asked, run(before), NEVER)).toEqual({ ok: true, output: "web" });
    expect(await changes()).toEqual([["docker", "restart", "--", "web"]]);
    expect(await executor.effect(asked, run(before))).toBe("done");
    expect(await observe(asked, before)).toMatchObject({ healthy: true });
  });

  it("says of which service of a project a container is, whatever it is called", async () => {
    expect(await executor.dryRun(container("shop-api-1"))).toMatchObject({ belongs_to: ["web1/api"] });
    expect(await executor.dryRun(container("web"))).toMatchObject({ belongs_to: [] });
  });
});

describe("docker compose restart", () => {
  it("finds the project of a service, and restarts its containers", async () => {
    const resolved = await executor.resolve(service("api"));
    expect(resolved).toMatchObject({ result: "hit", exact: { parameters: { project: "shop" } } });
    expect(await executor.resolve(service("apo"))).toEqual({ result: "suggestion", names: ["api"] });
    const asked = service("api", { project: "shop" });
    const { checks } = await executor.dryRun(asked);
    expect(checks.filter((one) => !one.passed)).toEqual([]);
    const before = await executor.snapshot(asked);
    expect(await executor.act(asked, run(before), NEVER)).toMatchObject({ ok: true });
    const args = ["--project-name", "shop", "--project-directory", "/srv/shop", "restart", "--", "api"];
    expect(await changes()).toEqual([["docker", "compose", ...args]]);
    expect(await executor.effect(asked, run(before))).toBe("done");
    expect(await observe(asked, before)).toMatchObject({ healthy: true });
  });

  it("says what is wrong with the compose file", async () => {
    await there.file("compose-broken");
    const { checks } = await executor.dryRun(service("api", { project: "shop" }));
    expect(check(checks, "compose file")).toMatchObject({
      passed: false,
      message: expect.stringContaining("image"),
    });
    await there.forget("compose-broken");
  });
});

describe("docker's disk", () => {
  it("gets the space of logs back", async () => {
    const one = await there.container("chatty");
    const asked = make("host.clear_docker_logs", { kind: "container", name: "chatty", host: "web1" });
    await there.file("free.json", "1000");
    const { checks, diff } = await executor.dryRun(asked);
    expect(checks.filter((each) => !each.passed)).toEqual([]);
    expect(diff).toBe("- log of chatty: 7.0 kB");
    const before = await executor.snapshot(asked);
    expect(await executor.effect(asked, run(before))).toBe("not_done");
    expect(await executor.act(asked, run(before), NEVER)).toEqual({
      ok: true,
      output: "Emptied the logs of chatty",
    });
    expect((await stat(one.LogPath)).size).toBe(0);
    expect(await executor.effect(asked, run(before))).toBe("done");
    expect(await observe(asked, before)).toMatchObject({ healthy: false });
    await there.file("free.json", "5000");
    expect(await observe(asked, before)).toMatchObject({
      healthy: true,
      facts: [{ message: "5.1 MB of 1.0 GB free on /data, 4.1 MB more than before" }],
    });
    const all = onHost("clear_docker_logs");
    expect(await executor.act(all, run(await executor.snapshot(all)), NEVER)).toMatchObject({ ok: true });
    expect((await stat((await there.containers())[0]!.LogPath)).size).toBe(0);
  });

  it("never takes another file for a log, whatever the runtime says", async () => {
    const victim = await there.file("victim", "precious");
    await there.container("evil1", { LogPath: victim });
    await there.container("evil2", { LogPath: `${there.folder}/x/../victim.log` });
    await there.container("evil3", { LogPath: victim, HostConfig: { LogConfig: { Type: "journald" } } });
    for (const name of ["evil1", "evil2", "evil3"]) {
      const asked = make("host.clear_docker_logs", { kind: "container", name, host: "web1" });
      expect(await executor.act(asked, run({}), NEVER)).toMatchObject({ ok: false, sent: false });
    }
    expect(await readFile(victim, "utf8")).toBe("precious");
  });

  it("is pruned, without volumes", async () => {
    await there.container("old", { State: { Status: "exited", Pid: 0, StartedAt: "" } });
    const asked = onHost("docker_prune", { what: "system", all_images: false });
    const { checks, diff } = await executor.dryRun(asked);
    expect(diff).toContain("- container old, shop:1, exited");
    expect(check(checks, "can be freed")).toMatchObject({ message: "Images: 1.2GB (57%) of 2.1GB" });
    const before = await executor.snapshot(asked);
    expect(await executor.effect(asked, run(before))).toBe("not_done");
    expect(await executor.act(asked, run(before), NEVER)).toMatchObject({ ok: true });
    expect(await changes()).toEqual([["docker", "system", "prune", "--force"]]);
    const all = onHost("docker_prune", { what: "image", all_images: true });
    await executor.act(all, run({}), NEVER);
    expect((await changes()).at(-1)).toEqual(["docker", "image", "prune", "--force", "--all"]);
    const cache = onHost("docker_prune", { what: "builder", all_images: false });
    expect(check((await executor.dryRun(cache)).checks, "what would be removed")).toMatchObject({
      message: "build cache would be removed; volumes are kept",
    });
    await executor.act(cache, run({}), NEVER);
    expect((await changes()).at(-1)).toEqual(["docker", "builder", "prune", "--force"]);
    expect(JSON.stringify(await there.calls())).not.toContain("--volumes");
  });
});

describe("certificates", () => {
  it("are renewed, and seen to be others", async () => {
    await writeFile(join(there.folder, "cert.pem"), await certificate(there.folder, 5));
    await writeFile(join(there.folder, "next.pem"), await certificate(there.folder, 90));
    const asked = onHost("renew_certificate");
    const { checks, diff } = await executor.dryRun(asked);
    expect(check(checks, "certificates due")).toMatchObject({ passed: true });
    expect(diff).toMatch(/^~ shop\.example: valid for [45] days$/);
    const before = await executor.snapshot(asked);
    expect(await observe(asked, before)).toMatchObject({ healthy: false });
    expect(await executor.effect(asked, run(before))).toBe("not_done");
    expect(await executor.act(asked, run(before), NEVER)).toMatchObject({ ok: true });
    expect(await changes()).toEqual([["certbot", "renew", "--non-interactive"]]);
    expect(await executor.effect(asked, run(before))).toBe("done");
    expect(await observe(asked, before)).toMatchObject({ healthy: true });
  });

  it("are renewed by what the configuration says", async () => {
    const path = join(there.folder, "own.pem");
    await copyFile(join(there.folder, "next.pem"), path);
    const own = create({ renew_certificate: ["certbot", "renew", "it's $(id)"], certificates: [path] });
    await own.executor.act(onHost("renew_certificate"), run({}), NEVER);
    expect(await changes()).toEqual([["certbot", "renew", "it's $(id)"]]);
    expect(await own.executor.snapshot(onHost("renew_certificate"))).toMatchObject({
      certificates: [{ subject: "shop.example" }],
    });
    await own.close();
  });
});

describe("reload nginx", () => {
  it("is done when the configuration is valid", async () => {
    const asked = onHost("reload_nginx");
    expect(await executor.resolve(asked)).toMatchObject({ result: "hit" });
    const { checks } = await executor.dryRun(asked);
    expect(check(checks, "nginx -t")).toMatchObject({ passed: true });
    const before = await executor.snapshot(asked);
    expect(await executor.effect(asked, run(before))).toBe("not_done");
    expect(await executor.act(asked, run(before), NEVER)).toMatchObject({ ok: true });
    expect(await executor.effect(asked, run(before))).toBe("done");
    expect(await observe(asked, before)).toMatchObject({ healthy: true });
  });

  it("is not done when it is not", async () => {
    await there.file("nginx-broken");
    const { checks } = await executor.dryRun(onHost("reload_nginx"));
    // What a host says is shown without its colours.
    const message = 'exit code 1: nginx: [emerg] unknown directive "servr"';
    expect(check(checks, "nginx -t")).toEqual({ name: "nginx -t", passed: false, message });
    expect(await executor.act(onHost("reload_nginx"), run({}), NEVER)).toMatchObject({
      ok: false,
      sent: false,
    });
    expect(await changes()).toEqual([]);
    await there.forget("nginx-broken");
  });
});

describe("what acts", () => {
  it("acts on a host one after the other", async () => {
    await there.hang("systemctl restart");
    await there.forget("hanging");
    const stop = new AbortController();
    const first = executor.act(unit("nginx.service"), run({}), stop.signal);
    const second = executor.act(container("web"), run({}), NEVER);
    await until(async () => (await there.hanging()).length === 1, "the first to hang");
    expect(await changes()).toEqual([["systemctl", "restart", "--", "nginx.service"]]);
    await there.forget("hang.json");
    stop.abort();
    expect(await first).toMatchObject({ ok: false, sent: true });
    expect(await second).toMatchObject({ ok: true });
  });

  it("says that nothing was sent to a host that is gone", async () => {
    const gone = create({ port: 1 });
    expect(await gone.executor.act(unit("nginx"), run({}), NEVER)).toMatchObject({
      ok: false,
      sent: false,
      error: expect.stringContaining("connection refused"),
    });
    expect(await gone.executor.resolve(unit("nginx"))).toMatchObject({ result: "error" });
    expect(await gone.executor.dryRun(unit("nginx"))).toMatchObject({ checks: [{ passed: false }] });
    expect(await gone.executor.effect(unit("nginx"), run({ invocation: "a" }))).toBe("cannot_tell");
    expect(await gone.observer.observe(unit("nginx").target as never, new Date())).toMatchObject({
      healthy: null,
    });
    await gone.close();
  });
});

describe("diagnose and investigate", () => {
  it("reads a host by one command", async () => {
    const result = await executor.act(onHost("diagnose"), run({}), NEVER);
    expect(result).toMatchObject({
      ok: true,
      output: expect.stringMatching(/^Linux [\s\S]*load: [\s\S]*memory: /),
    });
  });

  it("says what ails a unit and a container, and cites what it rests on", async () => {
    await there.unit("shop@1.service", { ActiveState: "failed", SubState: "failed", Result: "exit-code" });
    await there.container("bad", {
      Status: "Exited (1) 2 minutes ago",
      State: { Status: "exited", Running: false, ExitCode: 1, Pid: 0, StartedAt: "" },
    });
    const { investigator } = hosts;
    expect(investigator.investigates({ kind: "host", name: "nowhere" })).toBe(false);
    const look = (target: { kind: string; name: string; host?: string }) =>
      investigator.investigate(target, new Date(), NEVER);
    const ofUnit = await look({ kind: "unit", name: "shop@1.service", host: "web" });
    expect(ofUnit.target).toEqual({ kind: "unit", name: "shop@1.service", host: "web1" });
    expect(ofUnit.findings.map((one) => one.code)).toEqual(
      expect.arrayContaining(["unit_failed", "container_exited"]),
    );
    const ofContainer = await look({ kind: "container", name: "bad", host: "web1" });
    const [finding] = ofContainer.findings.filter((one) => one.code === "container_exited");
    expect(finding).toMatchObject({ weight: "cause", title: expect.stringContaining("exit code 1") });
    const cited = ofContainer.evidence.filter((one) => finding?.evidence.includes(one.id));
    expect(cited.map((one) => one.text)).toContain("panic: no database");
  });

  it("sends no name that systemd or the runtime would take for more than one", async () => {
    const { investigator, observer } = hosts;
    for (const kind of ["unit", "container", "compose_service"]) {
      for (const name of ["shop@*.service", "-a", "x\ny"]) {
        const target = { kind, name, host: "web1" };
        const seen = await observer.observe(target, new Date());
        expect(seen).toMatchObject({
          healthy: null,
          facts: [{ message: expect.stringContaining(" is not ") }],
        });
        if (kind === "compose_service") continue;
        const { missing, evidence } = await investigator.investigate(target, new Date(), NEVER);
        expect(missing.join()).toMatch(new RegExp(`${kind} ".*" is not `));
        expect(evidence.map((one) => one.subject).join()).not.toContain(name);
      }
    }
    const asked = (await there.calls()).filter((call) => /\*|^-a$|\n/.test(call.at(-1) ?? ""));
    expect(asked).toEqual([]);
  });

  it("reads no log that the configuration does not allow", async () => {
    const narrow = create({ units: ["nginx"], containers: ["web"] });
    const missing = async (kind: string, name: string) =>
      (await narrow.investigator.investigate({ kind, name, host: "web1" }, new Date(), NEVER)).missing.join();
    const refused = "was not read: ssh.hosts does not allow it";
    expect(await missing("unit", "shop@1.service")).toContain(`journal of shop@1.service: ${refused}`);
    expect(await missing("container", "bad")).toContain(`log of bad: ${refused}`);
    expect(await missing("container", "web")).not.toContain(refused);
    expect(await missing("unit", "nginx.service")).not.toContain(refused);
    const logs = (await there.calls()).filter((call) => call.includes("logs"));
    expect(logs.map((call) => call.at(-1))).toEqual(["web"]);
    await narrow.close();
  });

  it("finds that a host cannot be reached", async () => {
    const gone = create({ port: 1 });
    const found = await gone.investigator.investigate({ kind: "host", name: "web1" }, new Date(), NEVER);
    expect(found.findings).toMatchObject([{ code: "host_unreachable", weight: "cause", evidence: ["E1"] }]);
    await gone.close();
  });
});
