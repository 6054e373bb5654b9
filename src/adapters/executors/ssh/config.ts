import { z } from "zod";
import { duration } from "../../../lib/duration.ts";
import { secret } from "../../../lib/secret-setting.ts";
import { composeProject, containerName, hostName, unitName } from "../../../operation/index.ts";

// The operating system ends a string at a NUL: the rest would be lost silently.
const text = z
  .string()
  .min(1)
  .refine((value) => !value.includes("\0"), "must not contain NUL");
const port = z.number().int().min(1).max(65_535);
const seconds = (value: string) => duration.prefault(value);

/** How to log in to a host; set for all hosts, or for one. */
const access = {
  user: z
    .string()
    .regex(/^[A-Za-z_][\w.@\\-]{0,63}$/, "is not the name of an account")
    .optional(),
  /** Private key file; read again for each connection. */
  identity_file: text.optional(),
  passphrase: secret(text).optional(),
  passphrase_file: text.optional(),
  /** Socket of an SSH agent. */
  agent: text.optional(),
};

const composeEntry = z.strictObject({
  project: composeProject,
  dir: text.regex(/^\//, "must be an absolute path").optional(),
});

const sshHost = z.strictObject({
  /** Its name on cards and in commands. */
  name: hostName,
  /** Other names that alerts may use for it, besides its name and address. */
  aliases: z.array(hostName).default([]),
  address: hostName.optional(),
  port: port.optional(),
  ...access,
  password: secret(text).optional(),
  password_file: text.optional(),
  /** Name of the jump host through which it is reached. */
  jump: z.string().optional(),
  sudo: z.boolean().optional(),
  runtime: z.enum(["docker", "podman"]).optional(),
  compose: z.array(composeEntry).default([]),
  /** Only these may be acted on and have their logs read; absent: every one on the host. */
  units: z.array(unitName).optional(),
  containers: z.array(containerName).optional(),
  /** Absolute paths of the certificates to check; empty: those that certbot lists. */
  certificates: z.array(text.regex(/^\//, "must be an absolute path")).default([]),
  renew_certificate: z.array(text).min(1).optional(),
});
type SshHost = z.infer<typeof sshHost>;

const settings = z.strictObject({
  known_hosts: z.array(text).default([]),
  port: port.default(22),
  ...access,
  sudo: z.boolean().default(false),
  runtime: z.enum(["docker", "podman"]).default("docker"),
  connect_timeout: seconds("5s"),
  /** Timeout of one command that changes something. */
  command_timeout: seconds("50s"),
  /** Time between two keepalives on an open connection; it ends after three unanswered ones. */
  keepalive: seconds("15s"),
  idle_timeout: seconds("2m"),
  /** Concurrent commands on one host, over one connection; sshd's default limit is 10. */
  sessions: z.number().int().min(1).max(100).default(8),
  /** Bytes kept of a command's output: half from its beginning, half from its end. */
  output_limit: z
    .number()
    .int()
    .min(1_024)
    .max(64 * 1024 * 1024)
    .default(1024 * 1024),
  /** How long a unit must have been up to count as healthy. */
  settle: seconds("3s"),
  /** A certificate that is valid for fewer days counts as unhealthy. */
  certificate_days: z.number().int().min(1).max(365).default(14),
  renew_certificate: z.array(text).min(1).default(["certbot", "renew", "--non-interactive"]),
  hosts: z.array(sshHost).default([]),
});
type Settings = z.infer<typeof settings>;

type Problem = { path: (string | number)[]; message: string };

const addressOf = ({ name, address = name }: SshHost) => address;

function* nameProblems({ hosts }: Settings): Generator<Problem> {
  const taken = new Map<string, string>();
  for (const [index, { name, aliases }] of hosts.entries()) {
    for (const [at, one] of [name, ...aliases].entries()) {
      const path = ["hosts", index, ...(at === 0 ? ["name"] : ["aliases", at - 1])];
      const other = taken.get(one.toLowerCase());
      if (other !== undefined) yield { path, message: `host ${other} is called ${one}, too` };
      taken.set(one.toLowerCase(), name);
    }
  }
}

function* jumpProblems({ hosts }: Settings): Generator<Problem> {
  const byName = new Map(hosts.map((one) => [one.name, one]));
  for (const [index, { name, jump }] of hosts.entries()) {
    const path = ["hosts", index, "jump"];
    const passed = [name];
    for (let next = jump; next !== undefined; next = byName.get(next)?.jump) {
      if (!byName.has(next)) {
        if (next === jump) yield { path, message: `no host is called ${next}` };
        break;
      }
      if (passed.includes(next)) {
        yield { path, message: `goes in a circle: ${[...passed, next].join(" → ")}` };
        break;
      }
      passed.push(next);
    }
  }
}

function* accessProblems(all: Settings): Generator<Problem> {
  const twice = (one: Record<string, unknown>, name: string) =>
    one[name] !== undefined && one[`${name}_file`] !== undefined;
  if (twice(all, "passphrase")) yield { path: ["passphrase"], message: "is given by passphrase_file, too" };
  for (const [index, one] of all.hosts.entries()) {
    const path = ["hosts", index];
    for (const name of ["passphrase", "password"]) {
      if (twice(one, name)) yield { path: [...path, name], message: `is given by ${name}_file, too` };
    }
    if ((one.user ?? all.user) === undefined)
      yield { path: [...path, "user"], message: "is needed, here or for all hosts" };
    const ways = [
      one.identity_file,
      all.identity_file,
      one.agent,
      all.agent,
      one.password,
      one.password_file,
    ];
    if (ways.every((way) => way === undefined))
      yield { path, message: "has no identity_file, agent or password to log in with" };
  }
}

/** Schema of the configuration's section `ssh`. */
export const sshConfig = settings.superRefine((value, { addIssue }) => {
  for (const find of [nameProblems, jumpProblems, accessProblems]) {
    for (const { path, message } of find(value)) addIssue({ code: "custom", path, message });
  }
  if (value.hosts.length > 0 && value.known_hosts.length === 0)
    addIssue({ code: "custom", path: ["known_hosts"], message: "is needed: every host's key is checked" });
});
export type SshConfig = z.infer<typeof sshConfig>;

/** A host with the settings for all hosts filled in. */
export type HostConfig = Omit<SshHost, keyof Filled> & Filled;
type Filled = {
  user: string;
  port: number;
  address: string;
  sudo: boolean;
  runtime: "docker" | "podman";
  renew_certificate: readonly string[];
};

/** Returns the hosts with the settings for all hosts filled in, in configuration order. */
export function hostConfigs(config: SshConfig): HostConfig[] {
  return config.hosts.map((one) => {
    // A host with its own key does not inherit the passphrase of the common key.
    const key = one.identity_file === undefined ? config : one;
    const { passphrase = key.passphrase, passphrase_file = key.passphrase_file } = one;
    return {
      ...one,
      address: addressOf(one),
      user: one.user ?? config.user ?? "",
      port: one.port ?? config.port,
      identity_file: one.identity_file ?? config.identity_file,
      passphrase,
      passphrase_file,
      agent: one.agent ?? config.agent,
      sudo: one.sudo ?? config.sudo,
      runtime: one.runtime ?? config.runtime,
      renew_certificate: one.renew_certificate ?? config.renew_certificate,
    };
  });
}
