import type { Check } from "../../../../contract/approval.ts";
import type { ActResult } from "../../../../execution/index.ts";
import { commandLine } from "../../../../lib/shell.ts";
import type { HostConfig } from "../config.ts";
import { inLine, shown } from "../text.ts";
import type { Pool } from "./pool.ts";
import { type CommandResult, runLine } from "./run.ts";

export type Argv = readonly [string, ...string[]];
export type RunOptions = { seconds?: number; signal?: AbortSignal | undefined };

/** Result of a read-only command: its output, or why there is none. `code` is the exit code, if it exited. */
export type CommandOutput = { ok: true; stdout: string } | { ok: false; message: string; code?: number };

export type HostTerms = {
  /** Timeout in seconds of a command that changes something. */
  command_timeout: number;
  output_limit: number;
  /** Seconds for which a unit must have been up to count as healthy. */
  settle: number;
  certificate_days: number;
};

/** Below the gateway's timeout for reads: one slow command must not fail the others with it. */
const LOOK_SECONDS = 8;
/** Seconds added to our own timeout: then the host ends the command by itself, in case the connection is gone. */
const MARGIN = 2;
/** Exit code of `timeout` when it has ended the command. */
const TIMED_OUT = 124;

/** A configured host, on which commands are run. Callers pass argument lists only, never shell text. */
export class Host {
  readonly config: HostConfig;
  readonly terms: HostTerms;
  readonly #pool: Pool;

  constructor(config: HostConfig, terms: HostTerms, pool: Pool) {
    this.config = config;
    this.terms = terms;
    this.#pool = pool;
  }

  get name(): string {
    return this.config.name;
  }

  /** Prefixes sudo where configured; with `-n`, sudo fails instead of asking for a password. */
  privileged(argv: Argv): Argv {
    return this.config.sudo ? ["sudo", "-n", "--", ...argv] : argv;
  }

  /** Returns a command of the container runtime, with sudo where configured. */
  runtime(...args: string[]): Argv {
    return this.privileged([this.config.runtime, ...args]);
  }

  async run(
    argv: Argv,
    { seconds = this.terms.command_timeout, signal }: RunOptions = {},
  ): Promise<CommandResult> {
    const bound = String(Math.ceil(seconds) + MARGIN);
    const line = commandLine(["env", "LC_ALL=C", "timeout", "-k", "2", bound, ...argv]);
    const terms = { seconds, signal, limit: this.terms.output_limit };
    const used = await this.#pool.use(this.name, (connection) => runLine(connection, line, terms), signal);
    if (!used.ok) return { kind: "failed", sent: false, error: used.error, stderr: "" };
    const { value } = used;
    return value.kind === "exited" && value.code === TIMED_OUT
      ? { kind: "failed", sent: true, error: "timed out, and was terminated", stderr: value.stderr }
      : value;
  }

  /** Runs a command that changes nothing. */
  async look(argv: Argv, { seconds = LOOK_SECONDS, signal }: RunOptions = {}): Promise<CommandOutput> {
    const ran = await this.run(argv, { seconds, signal });
    if (ran.kind === "failed") return { ok: false, message: ran.error };
    if (ran.code !== 0) return { ok: false, message: saying(ran), code: ran.code };
    if (ran.dropped > 0)
      return { ok: false, message: `its output exceeds ${this.terms.output_limit} bytes (ssh.output_limit)` };
    return { ok: true, stdout: ran.stdout };
  }

  /** Runs a command that changes something; `sent` in a failure tells whether it may have run. */
  async change(argv: Argv, signal: AbortSignal): Promise<ActResult> {
    const ran = await this.run(argv, { signal });
    if (ran.kind === "failed") return failure(ran.error, ran.sent, ran.stderr);
    if (ran.code !== 0) return failure(saying(ran), true, ran.stderr);
    return { ok: true, output: shown(`${ran.stdout}\n${ran.stderr}`) || "exit code 0" };
  }

  /** Checks that the host can be reached, and names the fingerprint of its key. */
  async reach(): Promise<Check> {
    const name = "host reachable, key verified";
    const { user, address, port } = this.config;
    const used = await this.#pool.use(this.name, async ({ fingerprint }) => fingerprint);
    return used.ok
      ? { name, passed: true, message: `${user}@${address}:${port}, ${used.value}` }
      : { name, passed: false, message: used.error };
  }
}

function failure(error: string, sent: boolean, stderr: string): ActResult {
  const text = shown(stderr, 8_000);
  return { ok: false, error, sent, ...(text === "" ? {} : { stderr: text }) };
}

/** Formats the exit code with the command's error output. */
function saying({ code, stdout, stderr }: Extract<CommandResult, { kind: "exited" }>): string {
  const said = inLine(stderr) || inLine(stdout);
  return `exit code ${code}${said === "" ? "" : `: ${said}`}`;
}

/** Checks whether this exact command may be run, as far as that can be known without running it. */
export async function checkPermission(host: Host, argv: Argv): Promise<Check> {
  const name = "permission";
  if (host.config.sudo) {
    const listed = await host.look(["sudo", "-n", "-l", "--", ...argv]);
    return listed.ok
      ? { name, passed: true, message: `sudo allows: ${inLine(listed.stdout) || argv.join(" ")}` }
      : { name, passed: false, message: `sudo does not allow it: ${listed.message}` };
  }
  if (argv[0] === host.config.runtime) {
    const version = await host.look([argv[0], "version", "--format", "{{.Server.Version}}"]);
    return version.ok
      ? { name, passed: true, message: `${argv[0]} ${inLine(version.stdout, 40)} answers` }
      : { name, passed: false, message: version.message };
  }
  const id = await host.look(["id", "-u"]);
  if (!id.ok) return { name, passed: false, message: id.message };
  const root = id.stdout.trim() === "0";
  const as = `runs as ${host.config.user}`;
  return { name, passed: root, message: root ? as : `${as}, who is not root, and ssh.sudo is off` };
}
