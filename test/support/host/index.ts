import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { type Sshd, type SshdOptions, startSshd } from "../sshd.ts";

const PROGRAMS = ["systemctl", "journalctl", "docker", "certbot", "nginx", "sudo", "df"];

type Unit = Record<string, string | number>;
type Container = {
  Id: string;
  Name: string;
  RestartCount: number;
  LogPath: string;
  Status?: string;
  State: Record<string, unknown> & { Status: string; Pid: number; StartedAt: string };
  HostConfig: { LogConfig: { Type: string } };
  Config: { Image: string; Labels: Record<string, string> };
};

/** A host: a real sshd, whose programs keep their state in `folder` and run real processes. */
export type TestHost = Sshd & {
  folder: string;
  /** Every program that was called, with its arguments as they came. */
  calls(): Promise<string[][]>;
  unit(name: string, more?: Unit): Promise<void>;
  units(): Promise<Record<string, Unit>>;
  container(name: string, more?: Partial<Container>): Promise<Container>;
  containers(): Promise<Container[]>;
  /** Has what begins so hang; it is written down in `hanging` when it does. */
  hang(...begins: string[]): Promise<void>;
  hanging(): Promise<number[]>;
  file(name: string, content?: string): Promise<string>;
  forget(name: string): Promise<void>;
};

/** A certificate that is valid for so many days, as PEM. */
export async function certificate(folder: string, days: number, name = "shop.example"): Promise<string> {
  const [key, file] = [join(folder, "key.pem"), join(folder, `made-${days}.pem`)];
  const subject = ["-subj", `/CN=${name}`, "-addext", `subjectAltName=DNS:${name}`];
  const kind = [
    "-addext",
    "basicConstraints=critical,CA:FALSE",
    "-newkey",
    "ec",
    "-pkeyopt",
    "ec_paramgen_curve:P-256",
  ];
  const args = [
    "req",
    "-x509",
    "-nodes",
    "-days",
    String(days),
    "-keyout",
    key,
    "-out",
    file,
    ...subject,
    ...kind,
  ];
  await promisify(execFile)("openssl", args);
  return readFile(file, "utf8");
}

/** Starts one, with nothing on it. */
export async function startHost(options: SshdOptions = {}): Promise<TestHost> {
  const sshd = await startSshd(options);
  const { stop } = sshd;
  const folder = join(sshd.bin, "../state");
  await mkdir(folder);
  const script = join(import.meta.dirname, "programs.mjs");
  for (const name of PROGRAMS)
    await sshd.double(name, `exec '${process.execPath}' '${script}' '${folder}' ${name} "$@"`);
  const text = (name: string) => readFile(join(folder, name), "utf8").catch(() => "");
  const json = async <T>(name: string, otherwise: T) =>
    JSON.parse((await text(name)) || JSON.stringify(otherwise)) as T;
  const file = async (name: string, content = "") => {
    await writeFile(join(folder, name), content);
    return join(folder, name);
  };
  const lines = async (name: string) => (await text(name)).split("\n").filter(Boolean);
  const containers = () => json<Container[]>("containers.json", []);
  const units = () => json<Record<string, Unit>>("units.json", {});
  return Object.assign(sshd, {
    folder,
    file,
    units,
    containers,
    calls: async () => (await lines("calls")).map((line) => JSON.parse(line) as string[]),
    async unit(name: string, more: Unit = {}) {
      const state = { ActiveState: "active", SubState: "running", Result: "success", Type: "simple" };
      const times = { ActiveEnterTimestamp: "Mon 2026-01-05 10:00:00 UTC", ActiveEnterTimestampMonotonic: 1 };
      const run = { InvocationID: randomBytes(16).toString("hex"), MainPID: 0, NRestarts: 0 };
      const unit = {
        Id: name,
        LoadState: "loaded",
        ...state,
        ...times,
        StateChangeTimestampMonotonic: 1,
        ...run,
        ...more,
      };
      await file("units.json", JSON.stringify({ ...(await units()), [name]: unit }));
    },
    async container(name: string, more: Partial<Container> = {}) {
      const Id = randomBytes(32).toString("hex");
      const LogPath = await file(`${Id}-json.log`, "a line\n".repeat(1000));
      const State = {
        Status: "running",
        Running: true,
        Restarting: false,
        ExitCode: 0,
        OOMKilled: false,
        Pid: 0,
      };
      const one: Container = {
        Id,
        Name: `/${name}`,
        RestartCount: 0,
        LogPath,
        HostConfig: { LogConfig: { Type: "json-file" } },
        Config: { Image: "shop:1", Labels: {} },
        ...more,
        State: { ...State, StartedAt: "2026-01-05T10:00:00Z", ...more.State },
      };
      await file("containers.json", JSON.stringify([...(await containers()), one]));
      return one;
    },
    hang: async (...begins: string[]) => void (await file("hang.json", JSON.stringify(begins))),
    hanging: async () => (await lines("hanging")).map(Number),
    forget: (name: string) => rm(join(folder, name), { force: true }),
    stop: async () => {
      for (const pid of await lines("pids")) {
        try {
          process.kill(Number(pid), "SIGKILL");
        } catch {
          // Ended already.
        }
      }
      await stop();
    },
  });
}
