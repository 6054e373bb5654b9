import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { chmod, copyFile, readFile, writeFile } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { join } from "node:path";
import { promisify } from "node:util";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import ssh2 from "ssh2";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { startHost, type TestHost } from "../../../../../test/support/host/index.ts";
import { descendants } from "../../../../../test/support/processes.ts";
import { startSshd } from "../../../../../test/support/sshd.ts";
import { longEnough, until } from "../../../../../test/support/until.ts";
import type { Log } from "../../../../lib/log.ts";
import { type SshConfig, sshConfig } from "../config.ts";
import type { Host } from "./host.ts";
import { Hosts } from "./hosts.ts";

// What is garbage must not count.
setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

let there: TestHost;
const open: { close(): Promise<void> }[] = [];
const lines: string[] = [];
const write = (fields: object, text: string) => void lines.push(`${JSON.stringify(fields)} ${text}`);
const log: Log = { debug: write, info: write, warn: write, error: write };

beforeAll(async () => {
  there = await startHost();
});
afterAll(() => there.stop());
afterEach(async () => {
  for (const one of open.splice(0)) await one.close();
});

type Raw = Record<string, unknown>;

/** The configured hosts; the first is `web`, as the test's sshd lets it in. */
function hosts(own: Raw = {}, all: Raw = {}): Hosts {
  const { port, user, privateKeyFile: identity_file, knownHostsFile } = there;
  const web = { name: "web", address: "127.0.0.1", port, user, identity_file, ...own };
  const patient = { connect_timeout: "2m", command_timeout: "5m" };
  const config: SshConfig = sshConfig.parse({
    known_hosts: [knownHostsFile],
    hosts: [web],
    ...patient,
    ...all,
  });
  const made = new Hosts(config, log);
  open.push(made);
  return made;
}
const host = (own: Raw = {}, all: Raw = {}): Host => hosts(own, all).find("web") as Host;
const errorOf = async (one: Host) => {
  const ran = await one.run(["true"]);
  expect(ran).toMatchObject({ kind: "failed", sent: false });
  return (ran as { error: string }).error;
};

describe("a connection", () => {
  it("runs a command, and the next one on the same connection", async () => {
    const one = host();
    const address = async () => {
      const ran = await one.look(["sh", "-c", "echo $SSH_CONNECTION"]);
      return ran.ok ? ran.stdout : ran.message;
    };
    const first = await address();
    expect(first).toMatch(/^127\.0\.0\.1 \d+ 127\.0\.0\.1 \d+\n$/);
    expect(await address()).toBe(first);
    expect(await one.run(["sh", "-c", "echo out; echo err >&2; exit 3"])).toEqual({
      kind: "exited",
      code: 3,
      stdout: "out\n",
      stderr: "err\n",
      dropped: 0,
    });
  });

  it("gives hostile words to the program byte for byte", async () => {
    const words = ["$(touch /tmp/x)", "a'b\"c", "`id`", "x\ny", "-rf", "", "漢字 🦉", "\\", "; exit 1", "!!"];
    expect(await host().look(["printf", "%s\\0", ...words])).toEqual({
      ok: true,
      stdout: words.map((word) => `${word}\0`).join(""),
    });
  });

  it("says by which key the host was known", async () => {
    expect(await host().reach()).toMatchObject({ passed: true, message: expect.stringContaining("SHA256:") });
  });

  it("is closed when nobody has used it for a while, and opened again", async () => {
    const one = host({}, { idle_timeout: 0.1 });
    const sessions = () => descendants(process.pid).filter(({ name }) => name === "sshd").length;
    expect((await one.look(["true"])).ok).toBe(true);
    await until(() => sessions() <= 1, "the connection to be closed");
    expect((await one.look(["true"])).ok).toBe(true);
  });

  it("runs no more commands at once than it may", async () => {
    const one = host({}, { sessions: 2 });
    const ran = await Promise.all(Array.from({ length: 12 }, (_, n) => one.look(["echo", String(n)])));
    expect(ran.map((each) => (each.ok ? each.stdout.trim() : each.message))).toEqual(
      Array.from({ length: 12 }, (_, n) => String(n)),
    );
  });

  it("is noticed to be dead before anything is sent, and made again", async () => {
    const one = host();
    expect((await one.look(["true"])).ok).toBe(true);
    await there.dropConnections();
    expect(await one.look(["echo", "again"])).toEqual({ ok: true, stdout: "again\n" });
  });
  it("that does not answer any more is left, and made again", async () => {
    const one = host();
    expect((await one.look(["true"])).ok).toBe(true);
    const sessions = there.sessions().map(({ pid }) => pid);
    expect(sessions.length).toBeGreaterThan(0);
    for (const pid of sessions) process.kill(pid, "SIGSTOP");
    expect(await one.look(["echo", "again"])).toEqual({ ok: true, stdout: "again\n" });
    for (const pid of sessions) process.kill(pid, "SIGCONT");
  });
});

describe("what is refused", () => {
  it("a host whose key nobody has written down, with the line to add", async () => {
    const empty = await there.file("empty", "# nothing\n");
    const error = await errorOf(host({}, { known_hosts: [empty] }));
    expect(error).toMatch(/is not known: ssh-ed25519 SHA256:\S{43}\. If/);
    expect(error).toContain(there.knownHostsLine);
    // With that line it is known.
    await writeFile(empty, `${there.knownHostsLine}\n`);
    expect((await host({}, { known_hosts: [empty] }).reach()).passed).toBe(true);
    expect(await errorOf(host({}, { known_hosts: ["/nowhere/known_hosts"] }))).toContain("ENOENT");
  });

  it("a host with another key than the known one, loudly", async () => {
    const other = await startSshd();
    try {
      const known = await there.file("other", `[127.0.0.1]:${there.port} ${other.hostKey}\n`);
      const one = host({}, { known_hosts: [known] });
      const error = await errorOf(one);
      expect(error).toMatch(/^THE HOST KEY OF \[127\.0\.0\.1\]:\d+ HAS CHANGED: it is ssh-ed25519 SHA256:/);
      expect(error).toContain(`(${known}:1)`);
      expect(await one.reach()).toMatchObject({ passed: false, message: error });
    } finally {
      await other.stop();
    }
  });

  it("a key that is revoked, although it is known", async () => {
    const text = `${there.knownHostsLine}\n@revoked * ${there.hostKey}\n`;
    const known = await there.file("revoked", text);
    expect(await errorOf(host({}, { known_hosts: [known] }))).toContain("is revoked");
  });

  it("us, with a key or as somebody whom the host does not know", async () => {
    const stranger = await startSshd();
    try {
      const error = await errorOf(host({ identity_file: stranger.privateKeyFile }));
      expect(error).toContain("refuses the login with the key: permission denied");
      expect(await errorOf(host({ user: "nosuchuser" }))).toContain("permission denied");
    } finally {
      await stranger.stop();
    }
  });

  it("a private key that others may read, or that is none", async () => {
    const open = join(there.folder, "open");
    await copyFile(there.privateKeyFile, open);
    await chmod(open, 0o644);
    expect(await errorOf(host({ identity_file: open }))).toContain(`chmod 600 ${open}`);
    const none = await there.file("none", "-----BEGIN OPENSSH PRIVATE KEY-----\nhush\n");
    await chmod(none, 0o600);
    const error = await errorOf(host({ identity_file: none }));
    expect(error).toContain("is not a private key");
    expect(error).not.toContain("hush");
    expect(await errorOf(host({ identity_file: "/nowhere/key" }))).toContain("ENOENT");
  });

  it("a host that is gone, and one that says nothing", async () => {
    const gone = await startSshd();
    const known = await there.file("gone", `${gone.knownHostsLine}\n`);
    const { port, privateKeyFile: identity_file } = gone;
    const one = host({ port, identity_file: there.privateKeyFile }, { known_hosts: [known] });
    await chmod(identity_file, 0o600);
    await gone.stop();
    expect(await errorOf(one)).toMatch(/: connection refused$/);
    expect(await errorOf(host({ address: "no.such.host.invalid" }))).toContain("not found");
    const silent = createServer().listen(0, "127.0.0.1");
    await once(silent, "listening");
    const { port: mute } = silent.address() as AddressInfo;
    expect(await errorOf(host({ port: mute }, { connect_timeout: 0.3 }))).toMatch(/timed out/i);
    silent.close();
  });

  it("never tells a key", async () => {
    const key = (await readFile(there.privateKeyFile, "utf8")).split("\n")[1] as string;
    expect(lines.length).toBeGreaterThan(0);
    expect(lines.join("\n")).not.toContain(key);
  });
});

describe("ways in", () => {
  it("a key with a passphrase, from the configuration or a file", async () => {
    const locked = await startSshd({ passphrase: "open sesame" });
    const known = await there.file("locked", `${locked.knownHostsLine}\n`);
    const own = { port: locked.port, identity_file: locked.privateKeyFile };
    const all = { known_hosts: [known] };
    try {
      const reached = async (more: Raw) => host({ ...own, ...more }, all).reach();
      expect(await reached({ passphrase: "open sesame" })).toMatchObject({ passed: true });
      const file = await there.file("passphrase", "open sesame\n");
      expect(await reached({ passphrase_file: file })).toMatchObject({ passed: true });
      expect(await reached({})).toMatchObject({ message: expect.stringContaining("needs a passphrase") });
      const wrong = await reached({ passphrase: "close sesame" });
      expect(wrong.message).toContain("its passphrase is wrong");
      expect(wrong.message).not.toContain("close sesame");
    } finally {
      await locked.stop();
    }
  });

  it("a key that an agent holds", async () => {
    const socket = join(there.folder, "agent.sock");
    const agent = spawn("ssh-agent", ["-D", "-a", socket], { stdio: "ignore" });
    try {
      await until(() => existsSync(socket), "the agent to listen");
      const own = { identity_file: undefined, agent: socket };
      expect((await host(own).reach()).message).toContain("permission denied");
      const env = { ...process.env, SSH_AUTH_SOCK: socket };
      await promisify(execFile)("ssh-add", ["-q", there.privateKeyFile], { env });
      expect(await host(own).reach()).toMatchObject({ passed: true });
    } finally {
      agent.kill();
    }
    expect(await errorOf(host({ agent: "/nowhere/agent" }))).toContain("ENOENT");
  });

  it("through a jump host, of which the key is checked as well", async () => {
    const inner = await startSshd({ authorizedKeys: [there.publicKey] });
    const known = await there.file("both", `${there.knownHostsLine}\n${inner.knownHostsLine}\n`);
    const access = { address: "127.0.0.1", user: there.user, identity_file: there.privateKeyFile };
    const list = [
      { name: "jump", port: there.port, ...access },
      { name: "web", port: inner.port, jump: "jump", ...access },
    ];
    try {
      const find = (known_hosts: string[]) => hosts({}, { known_hosts, hosts: list }).find("web") as Host;
      const one = find([known]);
      expect(await one.look(["sh", "-c", "echo $SSH_CONNECTION"])).toMatchObject({
        stdout: expect.stringContaining(` ${inner.port}\n`),
      });
      // Cut at the jump host, and made again from there.
      await there.dropConnections();
      expect(await one.look(["true"])).toEqual({ ok: true, stdout: "" });
      const first = await there.file("first", `${there.knownHostsLine}\n`);
      expect(await errorOf(find([first]))).toMatch(/is not known.* \(through jump\)$/);
      const last = await there.file("last", `${inner.knownHostsLine}\n`);
      expect(await errorOf(find([last]))).toContain(`[127.0.0.1]:${there.port} is not known`);
    } finally {
      await inner.stop();
    }
  });
});

/** A server that lets everybody in, and then never answers a command or a way to another host. */
async function startMute(): Promise<{ own: Raw; asked: string[]; known: string }> {
  const pair = ssh2.utils.generateKeyPairSync("ed25519");
  const asked: string[] = [];
  const server = new ssh2.Server({ hostKeys: [pair.private] }, (client) => {
    client.on("error", () => {});
    client.on("close", () => asked.push("closed"));
    client.on("authentication", (context) => context.accept());
    client.on("tcpip", () => asked.push("tcpip"));
    client.on("session", (accept) => void accept().on("exec", () => asked.push("exec")));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  open.push({ close: async () => void server.close() });
  const { port } = server.address() as AddressInfo;
  const [type, key] = pair.public.split(" ");
  const known = await there.file("mute", `[127.0.0.1]:${port} ${type} ${key}\n`);
  return { own: { port }, asked, known };
}

describe("a host that does not answer any more", () => {
  it("is left when it does not take a command in time", async () => {
    const { own, asked, known } = await startMute();
    const one = host(own, { known_hosts: [known], sessions: 1 });
    const ran = [one.run(["true"], { seconds: 0.3 }), one.run(["true"], { seconds: 0.3 })];
    for (const each of await Promise.all(ran))
      expect(each).toMatchObject({
        sent: true,
        error: expect.stringContaining("timed out after 0.3 s before"),
      });
    await until(() => asked.filter((what) => what === "closed").length === 2, "the connections to be closed");
    expect(asked.filter((what) => what === "exec")).toHaveLength(2);
  });

  it("does not keep who is cancelled waiting", async () => {
    const { own, asked, known } = await startMute();
    const stop = new AbortController();
    const running = host(own, { known_hosts: [known] }).run(["true"], { signal: stop.signal });
    await until(() => asked.includes("exec"), "the command to arrive");
    stop.abort();
    expect(await running).toMatchObject({
      sent: true,
      error: "cancelled before the host accepted the command",
    });
  });

  it("is left when it opens no way to the next host", async () => {
    const { own, asked, known } = await startMute();
    const access = { address: "127.0.0.1", user: there.user, identity_file: there.privateKeyFile };
    const list = [
      { name: "jump", ...access, ...own },
      { name: "web", port: there.port, jump: "jump", ...access },
    ];
    await longEnough(500, async (milliseconds) => {
      const connect_timeout = milliseconds / 1000;
      const terms = { known_hosts: [known, there.knownHostsFile], connect_timeout, hosts: list };
      const error = await errorOf(hosts({}, terms).find("web") as Host);
      // Else not even the jump host was reached within it.
      if (!asked.includes("tcpip")) return false;
      expect(error).toMatch(new RegExp(`timed out after ${connect_timeout} s \\(through jump\\)$`));
      await until(() => asked.includes("closed"), "the connection to be closed");
      return true;
    });
  });
});

describe("a configuration that another has replaced", () => {
  it("ends connections when nothing goes over them, and lets what is under way go on to its end", async () => {
    const patient = { idle_timeout: "1h" };
    const of = hosts({}, patient);
    const one = of.find("web") as Host;
    const gate = join(there.folder, "gate");
    const begun = join(there.folder, "begun");
    const script = `echo $PPID > ${begun}; until test -e ${gate}; do sleep 0.05; done; echo done`;
    const running = one.run(["sh", "-c", script]);
    await until(() => existsSync(begun), "the command to begin");
    of.retire();
    await writeFile(gate, "");
    expect(await running).toMatchObject({ code: 0, stdout: "done\n" });
    await until(() => there.sessions().length === 0, "its connection to end");
    // An act of several commands opens another for the next one, and that does not stay either.
    expect(await one.look(["echo", "again"])).toEqual({ ok: true, stdout: "again\n" });
    await until(() => there.sessions().length === 0, "the other to end");
    const idle = hosts({}, patient);
    await idle.find("web")?.look(["true"]);
    expect(there.sessions().length).toBeGreaterThan(0);
    idle.retire();
    await until(() => there.sessions().length === 0, "the idle one to end");
  });
});

describe("commands that wait for a place", () => {
  it("are not too many, and leave when they are cancelled", async () => {
    const one = host({}, { sessions: 1 });
    const first = one.run(["sleep", "1"]);
    const stop = new AbortController();
    const file = join(there.folder, "never");
    const cancelled = one.run(["touch", file], { signal: stop.signal });
    const waiting = Array.from({ length: 63 }, () => one.run(["true"]));
    expect(await errorOf(one)).toBe("too many commands are queued for web");
    stop.abort();
    expect(await cancelled).toMatchObject({ kind: "failed", sent: false, error: "cancelled" });
    // Its place in the queue is free again.
    waiting.push(one.run(["true"]));
    for (const ran of await Promise.all([first, ...waiting])) expect(ran).toMatchObject({ code: 0 });
    expect(existsSync(file)).toBe(false);
  });
});

describe("a command", () => {
  it("that hangs is ended, and so is what it has started on the host", async () => {
    const one = host();
    await there.hang("docker restart");
    let pid = 0;
    await longEnough(1_000, async (milliseconds) => {
      const seconds = milliseconds / 1000;
      const ran = await one.run(["docker", "restart", "--", "web"], { seconds });
      const error = `timed out after ${seconds} s, and was terminated`;
      const begun = (await there.hanging()).at(-1);
      if (begun === undefined) return false;
      expect(ran).toMatchObject({ kind: "failed", sent: true, error });
      pid = begun;
      return true;
    });
    const lives = () => descendants(process.pid).some((process) => process.pid === pid);
    expect(pid).toBeGreaterThan(0);
    await until(() => !lives(), "the command to end");
    await there.forget("hang.json");
    expect((await one.look(["true"])).ok).toBe(true);
  });

  it("that is cancelled is ended, and one that was before is never sent", async () => {
    const one = host();
    await there.hang("docker stop");
    await there.forget("hanging");
    const stop = new AbortController();
    const running = one.run(["docker", "stop", "--", "web"], { signal: stop.signal });
    await until(async () => (await there.hanging()).length === 1, "the command to hang");
    stop.abort();
    expect(await running).toMatchObject({
      kind: "failed",
      sent: true,
      error: "cancelled, and was terminated",
    });
    expect(await one.run(["docker", "kill"], { signal: stop.signal })).toMatchObject({ sent: false });
    expect(await there.calls()).not.toContainEqual(["docker", "kill"]);
    await there.forget("hang.json");
  });

  it("whose connection is cut has an unknown outcome", async () => {
    const one = host();
    await there.hang("docker start");
    await there.forget("hanging");
    const running = one.run(["docker", "start", "--", "web"]);
    await until(async () => (await there.hanging()).length === 1, "the command to hang");
    await there.dropConnections();
    const ran = await running;
    expect(ran).toMatchObject({
      kind: "failed",
      sent: true,
      error: expect.stringContaining("connection reset"),
    });
    await there.forget("hang.json");
    expect((await one.look(["true"])).ok).toBe(true);
  });

  it("that says 200 MB is heard in its beginning and its end, in little memory", async () => {
    const one = host({}, { output_limit: 1024 * 1024 });
    const script = "echo first; head -c 200000000 /dev/zero; echo; echo last";
    const held = () => {
      // What the first finds is freed in the background; the second waits for that.
      collect();
      collect();
      return process.memoryUsage().arrayBuffers;
    };
    const before = held();
    const more: number[] = [];
    const watch = setInterval(() => more.push(held() - before), 200);
    const ran = await one.run(["sh", "-c", script], { seconds: 300 });
    clearInterval(watch);
    expect(ran).toMatchObject({ kind: "exited", code: 0, dropped: 200_000_012 - 1024 * 1024 });
    const { stdout } = ran as { stdout: string };
    expect(stdout.startsWith("first\n\0\0")).toBe(true);
    expect(stdout.endsWith("\0\0\nlast\n")).toBe(true);
    expect(stdout).toContain("bytes left out");
    expect(more.length).toBeGreaterThan(0);
    // What is not held any more is given back a little later.
    expect(Math.max(...more)).toBeLessThan(150 * 1024 * 1024);
    const looked = await one.look(["head", "-c", "2000000", "/dev/zero"]);
    expect(looked).toMatchObject({ ok: false, message: expect.stringContaining("ssh.output_limit") });
  });
});
