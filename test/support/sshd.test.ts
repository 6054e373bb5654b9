import { once } from "node:events";
import { readFile } from "node:fs/promises";
import type { Duplex } from "node:stream";
import { text } from "node:stream/consumers";
import { promisify } from "node:util";
import { Client, type ConnectConfig } from "ssh2";
import { afterEach, describe, expect, it } from "vitest";
import { offeredHostKey, type Sshd, type SshdOptions, startSshd } from "./sshd.ts";

const open: { stop(): Promise<void> }[] = [];
afterEach(async () => {
  for (const one of open.splice(0)) await one.stop();
});

async function start(options?: SshdOptions): Promise<Sshd> {
  const sshd = await startSshd(options);
  open.push(sshd);
  return sshd;
}

async function connect(sshd: Sshd, more: ConnectConfig = {}): Promise<Client> {
  const client = new Client();
  const { host, port, user: username, privateKey } = sshd;
  client.connect({ host, port, username, privateKey, readyTimeout: 120_000, ...more });
  await once(client, "ready");
  open.unshift({ stop: async () => void client.destroy() });
  return client;
}

async function run(client: Client, command: string): Promise<string> {
  const stream = await new Promise<Duplex>((resolve, reject) => {
    client.exec(command, (error, channel) => (error ? reject(error) : resolve(channel)));
  });
  return text(stream);
}

describe("sshd", () => {
  it("runs a command, and finds a double before the program", async () => {
    const sshd = await start({ env: { STAGE: "a b" } });
    await sshd.double("systemctl", 'echo "double: $*"');
    const client = await connect(sshd);
    expect(await run(client, 'systemctl restart nginx; echo "$STAGE"')).toBe("double: restart nginx\na b\n");
  });

  it("shows the host key that known_hosts has, and then another one", async () => {
    const sshd = await start();
    const before = sshd.hostKey;
    expect(await readFile(sshd.knownHostsFile, "utf8")).toBe(`[127.0.0.1]:${sshd.port} ${before}\n`);
    await sshd.changeHostKey();
    expect(sshd.hostKey).not.toBe(before);
    expect(await offeredHostKey(sshd.port)).toBe(sshd.hostKey);
    expect(await run(await connect(sshd), "echo still")).toBe("still\n");
  });

  it("takes a key with a passphrase", async () => {
    const sshd = await start({ passphrase: "open sesame" });
    expect(await run(await connect(sshd, { passphrase: "open sesame" }), "echo in")).toBe("in\n");
    await expect(connect(sshd)).rejects.toThrow(/passphrase/);
  });

  it("drops the connections that there are, and takes new ones", async () => {
    const sshd = await start();
    const client = await connect(sshd);
    client.on("error", () => {});
    const closed = new Promise<void>((resolve) => client.once("close", resolve));
    await sshd.dropConnections();
    await closed;
    expect(await run(await connect(sshd), "echo again")).toBe("again\n");
  });

  it("leads to another one", async () => {
    const jump = await start();
    const inner = await start({ authorizedKeys: [jump.publicKey] });
    const outer = await connect(jump);
    const sock = await promisify(outer.forwardOut).call(outer, "127.0.0.1", 0, inner.host, inner.port);
    const client = await connect(inner, { sock: sock as Duplex as never, privateKey: jump.privateKey });
    expect(await run(client, "echo $SSH_CONNECTION")).toContain(` ${inner.port}\n`);
  });
});
