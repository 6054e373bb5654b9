import { z } from "zod";
import { duration } from "../../../lib/duration.ts";
import { alternative, example, secret } from "../../../lib/setting.ts";
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
  user: example(
    z
      .string()
      .regex(/^[A-Za-z_][\w.@\\-]{0,63}$/, "is not a valid account name")
      .optional(),
    "awoooi",
  ).describe("required, for all hosts or at each host"),
  identity_file: example(text.optional(), "/etc/awoooi/id_ed25519").describe(
    "private key that only its owner can read (chmod 600)",
  ),
  passphrase: secret(text).optional().describe("passphrase of that key"),
  passphrase_file: alternative(example(text.optional(), "/run/secrets/passphrase")).describe(
    "or a file that holds it",
  ),
  agent: alternative(example(text.optional(), "/run/awoooi/agent.sock")).describe(
    "or the socket of an SSH agent",
  ),
};

const composeEntry = z.strictObject({
  project: example(composeProject, "shop"),
  dir: example(text.regex(/^\//, "must be an absolute path").optional(), "/srv/shop").describe(
    "folder of its compose file",
  ),
});

const sshHost = z.strictObject({
  name: example(hostName, "web1").describe("its name on cards and in commands"),
  aliases: example(z.array(hostName).default([]), ["web", "web1.example.com"]).describe(
    "other names that alerts may give it, besides its name and address",
  ),
  address: example(hostName.optional(), "10.0.0.5").describe("default: its name"),
  port: example(port.optional(), 2222).describe("default: that of all hosts, as for the settings below"),
  ...access,
  password: alternative(secret(text).optional()).describe("instead of a key, which is better"),
  password_file: alternative(example(text.optional(), "/run/secrets/password")).describe(
    "or a file that holds it",
  ),
  jump: example(z.string().optional(), "bastion").describe(
    "name of the jump host through which it is reached",
  ),
  sudo: example(z.boolean().optional(), true),
  runtime: z.enum(["docker", "podman"]).optional(),
  compose: z.array(composeEntry).default([]).describe("its Docker Compose projects"),
  units: example(z.array(unitName).optional(), ["nginx.service"]).describe(
    "only these may be acted on and have their logs read; default: every service",
  ),
  containers: example(z.array(containerName).optional(), ["shop-web"]).describe(
    "only these may be acted on and have their logs read; default: every container",
  ),
  certificates: example(z.array(text.regex(/^\//, "must be an absolute path")).default([]), [
    "/etc/ssl/shop.pem",
  ]).describe("certificates to check; default: those that certbot knows"),
  renew_certificate: example(z.array(text).min(1).optional(), ["certbot", "renew"]),
});
type SshHost = z.infer<typeof sshHost>;

const settings = z.strictObject({
  known_hosts: example(z.array(text).default([]), ["/etc/awoooi/known_hosts"]).describe(
    "files in OpenSSH's format; hashed names, [host]:port and @revoked work, @cert-authority does not; a host whose key is in none of them is refused, and the message has the line to add; a host whose key has changed is refused, too; required with hosts",
  ),
  port: port.default(22).describe("for hosts without a port of their own"),
  ...access,
  sudo: z
    .boolean()
    .default(false)
    .describe(
      "true: `sudo -n` is put before commands that change something, before docker, and, if allowed, before commands that find what fills a disk; sudoers must allow them without a password",
    ),
  runtime: z.enum(["docker", "podman"]).default("docker").describe("or podman"),
  connect_timeout: seconds("5s").describe("for each host on the way, jump hosts included"),
  command_timeout: seconds("50s").describe(
    "for one command that changes something; execution.timeout applies in any case",
  ),
  keepalive: seconds("15s").describe(
    "between two keepalives of an open connection; after three without an answer it is closed",
  ),
  idle_timeout: seconds("2m").describe("an unused connection is closed after this time"),
  sessions: z
    .number()
    .int()
    .min(1)
    .max(100)
    .default(8)
    .describe("commands at once on one host, over one connection; sshd's own MaxSessions is 10"),
  output_limit: z
    .number()
    .int()
    .min(1_024)
    .max(64 * 1024 * 1024)
    .default(1024 * 1024)
    .describe("bytes of a command's output that are kept, half of its beginning and half of its end"),
  settle: seconds("3s").describe("how long a unit must have been up to count as healthy"),
  certificate_days: z
    .number()
    .int()
    .min(1)
    .max(365)
    .default(14)
    .describe("a certificate that is valid for fewer days counts as unhealthy"),
  renew_certificate: z
    .array(text)
    .min(1)
    .default(["certbot", "renew", "--non-interactive"])
    .describe("program and arguments; no shell"),
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
      if (other !== undefined) yield { path, message: `${one} is also a name of host ${other}` };
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
        if (next === jump) yield { path, message: `there is no host ${next}` };
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
  if (twice(all, "passphrase")) yield { path: ["passphrase"], message: "is also set by passphrase_file" };
  for (const [index, one] of all.hosts.entries()) {
    const path = ["hosts", index];
    for (const name of ["passphrase", "password"]) {
      if (twice(one, name)) yield { path: [...path, name], message: `is also set by ${name}_file` };
    }
    if ((one.user ?? all.user) === undefined)
      yield { path: [...path, "user"], message: "is required, here or for all hosts" };
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
    addIssue({ code: "custom", path: ["known_hosts"], message: "is required: every host's key is checked" });
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
