import { execFile } from "node:child_process";
import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { userInfo } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { Client } from "ssh2";
import { startChild } from "./child.ts";
import { temporaryFolder } from "./folder.ts";
import { freePort } from "./ports.ts";
import { sshdBinary } from "./prepare.ts";
import { descendants, killAll, type Process } from "./processes.ts";
import { until } from "./until.ts";

export type SshdOptions = {
  /** Of the user's private key, which has none otherwise. */
  passphrase?: string;
  /** More variables of every session. */
  env?: Record<string, string>;
  /** Public keys of others that may come in too, as the user of this process. */
  authorizedKeys?: readonly string[];
};

export type Sshd = {
  host: string;
  port: number;
  /** The user of this process, whom the key lets in. */
  user: string;
  privateKey: string;
  privateKeyFile: string;
  publicKey: string;
  /** `ssh-ed25519 AAAA…`, as it is now. */
  readonly hostKey: string;
  /** The line of a known_hosts file for the host key of now. */
  readonly knownHostsLine: string;
  /** A known_hosts file with the first host key, which `changeHostKey` leaves alone. */
  knownHostsFile: string;
  /** A folder that every session's PATH begins with. */
  bin: string;
  /** Puts a shell script of this name there, in place of `systemctl` or `docker`. */
  double(name: string, script: string): Promise<void>;
  /** Has another host key from now on, as another machine on the same address would. */
  changeHostKey(): Promise<void>;
  /** The processes that serve connections. */
  sessions(): Process[];
  /** Breaks all connections; commands that run on them go on. */
  dropConnections(): Promise<void>;
  /** Stops it, its sessions and their commands, and removes its folder. */
  stop(): Promise<void>;
};

const HOST = "127.0.0.1";
const SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** A new key pair in `file` and `file`.pub; the public one, without its comment. */
async function generateKey(file: string, passphrase = ""): Promise<string> {
  await promisify(execFile)("ssh-keygen", ["-q", "-t", "ed25519", "-N", passphrase, "-f", file]);
  const [type, key] = (await readFile(`${file}.pub`, "utf8")).split(" ");
  return `${type} ${key}`;
}

function configOf(folder: string, port: number, env: Record<string, string>): string {
  const variables = Object.entries(env).map(([name, value]) => `"${name}=${value}"`);
  return `
ListenAddress ${HOST}:${port}
HostKey ${join(folder, "host")}
AuthorizedKeysFile ${join(folder, "authorized_keys")}
PidFile none
UsePAM no
StrictModes no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
AllowTcpForwarding yes
MaxStartups 100
Subsystem sftp internal-sftp
SetEnv ${variables.join(" ")}
`;
}

/** The host key that whoever listens there shows, as known_hosts has it. */
export function offeredHostKey(port: number): Promise<string> {
  const client = new Client();
  return new Promise<string>((resolve, reject) => {
    const hostVerifier = (key: Buffer) => {
      const length = key.readUInt32BE(0);
      resolve(`${key.subarray(4, 4 + length)} ${key.toString("base64")}`);
      return false;
    };
    client.on("error", reject).on("close", () => reject(new Error("it showed no host key")));
    client.connect({ host: HOST, port, username: "nobody", hostVerifier });
  }).finally(() => client.destroy());
}

/**
 * A real OpenSSH server as a process of its own on the loopback interface. It lets the user of this process
 * in, with a key of its own; through one, another one is reached as through a jump host.
 */
export async function startSshd(options: SshdOptions = {}): Promise<Sshd> {
  const binary = sshdBinary();
  if (binary === undefined) throw new Error("there is no sshd: run `node test/support/prepare.ts sshd`");
  const folder = await temporaryFolder("sshd");
  const port = await freePort();
  const bin = join(folder, "bin");
  const [host, user] = [join(folder, "host"), join(folder, "user")];
  const known = join(folder, "known_hosts");
  const config = join(folder, "sshd_config");
  const log = join(folder, "sshd.log");
  // Where root's sshd drops its rights; Debian's service makes it.
  if (process.getuid?.() === 0) await mkdir("/run/sshd", { recursive: true, mode: 0o755 });
  await mkdir(bin);
  let hostKey = await generateKey(host);
  const publicKey = await generateKey(user, options.passphrase);
  const lineOf = (key: string) => `[${HOST}]:${port} ${key}`;
  const authorized = [publicKey, ...(options.authorizedKeys ?? [])];
  await writeFile(join(folder, "authorized_keys"), `${authorized.join("\n")}\n`);
  await writeFile(known, `${lineOf(hostKey)}\n`);
  // A home of its own: the user's .bashrc would put other folders before `bin`, and take its time.
  const own = { HOME: folder, PATH: `${bin}:${SYSTEM_PATH}` };
  await writeFile(config, configOf(folder, port, { ...own, ...options.env }));
  const child = startChild(binary, ["-D", "-e", "-f", config], log);
  const sessions = () => descendants(child.pid).filter(({ name }) => name.startsWith("sshd"));
  const listenings = async () => (await readFile(log, "utf8")).split("Server listening on").length;
  const isShown = async () => (await offeredHostKey(port)) === hostKey;
  await child.ready(until(isShown, "sshd to show its host key"));
  return {
    host: HOST,
    port,
    user: userInfo().username,
    privateKey: await readFile(user, "utf8"),
    privateKeyFile: user,
    publicKey,
    get hostKey() {
      return hostKey;
    },
    get knownHostsLine() {
      return lineOf(hostKey);
    },
    knownHostsFile: known,
    bin,
    double: (name, script) => writeFile(join(bin, name), `#!/bin/sh\n${script}\n`, { mode: 0o755 }),
    async changeHostKey() {
      const next = join(folder, "next");
      hostKey = await generateKey(next);
      await rename(next, host);
      await rename(`${next}.pub`, `${host}.pub`);
      const before = await listenings();
      process.kill(child.pid, "SIGHUP");
      // It shows the new key before it closes its port and opens it again.
      await until(async () => (await listenings()) > before, "sshd to listen again");
      await until(isShown, "sshd to show its new host key");
    },
    sessions,
    async dropConnections() {
      killAll(sessions());
      await until(() => sessions().length === 0, "the sessions to end");
    },
    async stop() {
      const all = descendants(child.pid);
      await child.kill();
      killAll(all);
      await rm(folder, { recursive: true, force: true });
    },
  };
}
