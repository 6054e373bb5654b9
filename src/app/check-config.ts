import { statSync } from "node:fs";
import { kubernetes } from "../adapters/executors/kubernetes/index.ts";
import { localProcess } from "../adapters/executors/local-process/index.ts";
import { ssh } from "../adapters/executors/ssh/index.ts";
import { loadRules, loadServiceRegistry } from "../decision/index.ts";
import { loadTopology } from "../incident/index.ts";
import { loadClassification, senderCheck } from "../intake/index.ts";
import { AwoooiError, type FieldError, messageOf } from "../lib/error.ts";
import { quoted } from "../lib/shell.ts";
import {
  type ConfigOptions,
  doubledNames,
  environmentNameOf,
  firstNames,
  namedPath,
  parseSettings,
  readSettings,
  type Settings,
  settingAt,
  unknownNames,
} from "./config.ts";
import { type Config, configSchema } from "./config-schema.ts";
import { secretPaths } from "./secret.ts";

export type ConfigReport = {
  /** The file that was read, or should have been; null: none, the defaults and the environment hold. */
  file: string | null;
  errors: FieldError[];
  /** What the server would start with, and is likely not meant. */
  warnings: FieldError[];
};

/** Errors of `work` under the path of the setting that asks for it. */
function errorsOf(path: string, work: () => unknown): FieldError[] {
  try {
    work();
    return [];
  } catch (error) {
    const inner = error instanceof AwoooiError ? error.errors : [];
    if (inner.length === 0) return [{ path, message: messageOf(error) }];
    return inner.map((one) => ({ path: [path, one.path].filter(Boolean).join(": "), message: one.message }));
  }
}

/** Files and addresses that settings refer to; also of settings that are wrong elsewhere. */
function references({ tree }: Settings): FieldError[] {
  const open = { trusted_networks: [], proxies: [], bearer_tokens: [], basic: [] };
  const file = (path: string, load: (name: string) => unknown) => {
    const name = settingAt(tree, path);
    return typeof name === "string" && name !== "" ? errorsOf(path, () => load(name)) : [];
  };
  const networks = ["trusted_networks", "proxies"].flatMap((name) => {
    const list = settingAt(tree, `intake.${name}`);
    const texts = Array.isArray(list) ? list.filter((one) => typeof one === "string") : [];
    return texts.flatMap((one) =>
      errorsOf(`intake.${name}`, () => senderCheck({ ...open, trusted_networks: [one] })),
    );
  });
  return [
    ...file("decision.rules", loadRules),
    ...file("decision.service_registry", loadServiceRegistry),
    ...file("intake.classification", (name) => loadClassification([], name)),
    ...file("incident.correlation.topology", loadTopology),
    ...networks,
    ...clusterErrors(settingAt(tree, "kubernetes")),
  ];
}

/** What is wrong with the files that say how clusters are reached. */
function clusterErrors(tree: unknown): FieldError[] {
  const parsed = configSchema.shape.kubernetes.safeParse(tree ?? {});
  if (!parsed.success) return [];
  try {
    kubernetes.check(parsed.data);
    return [];
  } catch (error) {
    return error instanceof AwoooiError
      ? [...error.errors]
      : [{ path: "kubernetes", message: messageOf(error) }];
  }
}

const LOOPBACK = /^(127\.|::1$|localhost$)/;
const EVERYONE = /^(0\.0\.0\.0|::)\/0$/;

/** How a secret is given without standing in the file: a name of the environment, or a setting that names a file. */
function elsewhere(path: string): string | undefined {
  const name = environmentNameOf(path);
  if (name !== undefined) return `${name}_FILE`;
  return /^ssh\.(.*\.)?(passphrase|password)$/.test(path) ? `${path}_file` : undefined;
}

/** A file that others may read should hold no secret. */
function readableSecrets(file: string, { from, tree }: Settings): FieldError[] {
  const secrets = secretPaths(tree).filter((path) => !from.has(path));
  const mode = statSync(file, { throwIfNoEntry: false })?.mode ?? 0;
  if (secrets.length === 0 || (mode & 0o044) === 0) return [];
  const shown = (path: string) => namedPath(tree, path);
  const others = secrets.flatMap((path) => elsewhere(path) ?? []).map(shown);
  const or = others.length === 0 ? "" : `, or name a file that holds it with ${others.join(", ")}`;
  const message = `is a secret in a file that others may read: chmod 600 ${quoted(file)}${or}`;
  return [{ path: secrets.map(shown).join(", "), message }];
}

/** Keys and secrets of hosts, in files that must be there and closed to others. */
const hostFiles = (config: Config, fatal: boolean): FieldError[] =>
  ssh
    .problems(config.ssh)
    .filter((one) => one.fatal === fatal)
    .map(({ path, message }) => ({ path: `ssh.${path}`, message }));

/** Tools that are disabled and that nobody offers: a name that is misspelt disables nothing. */
function strangeTools({ execution, mcp }: Config): string[] {
  const offered = mcp.servers.flatMap((one) => one.tools.map((tool) => `${one.name}/${tool.name}`));
  return execution.disabled_tools.filter((name) => name.includes("/") && !offered.includes(name));
}

function configWarnings(config: Config): FieldError[] {
  const { env, server, intake, approval, notification, processes, mcp } = config;
  const told: FieldError[] = [];
  const doubt = (when: boolean, path: string, message: string) => when && told.push({ path, message });
  const credentials = intake.bearer_tokens.length + intake.basic.length > 0;
  const away = !LOOPBACK.test(server.host);
  const everyone = intake.trusted_networks.some((network) => EVERYONE.test(network));
  doubt(everyone, "intake.trusted_networks", "trusts everyone: anybody who reaches the port may send alerts");
  doubt(
    away && !credentials,
    "server.host",
    `${server.host} is reached from other machines, and webhooks need no credentials: set intake.bearer_tokens or intake.basic`,
  );
  doubt(
    env === "prod" && !credentials,
    "intake",
    "in production no sender has a secret: whoever is in a trusted network may send alerts",
  );
  doubt(
    env === "prod" && intake.hmac_secrets.length === 0,
    "intake.hmac_secrets",
    "in production generic alerts are refused without one",
  );
  const { enabled, webhook, webhooks } = notification;
  doubt(!enabled, "notification.enabled", "nobody is told of incidents");
  doubt(
    enabled && env === "prod" && webhook === undefined && webhooks.length === 0,
    "notification",
    "people are told on the server's terminal only: set notification.webhook",
  );
  const one = (["high", "critical"] as const).filter((risk) => approval.required_signatures[risk] < 2);
  doubt(
    one.length > 0,
    "approval.required_signatures",
    `one signature is enough for ${one.join(" and ")} risk`,
  );
  const strange = strangeTools(config);
  doubt(
    strange.length > 0,
    "execution.disabled_tools",
    `no server of mcp lists ${strange.join(", ")}: is it spelt like that?`,
  );
  mcp.servers.forEach(({ url, headers }, index) => {
    const { protocol = "", hostname = "" } = URL.parse(url ?? "") ?? {};
    const open = protocol === "http:" && !LOOPBACK.test(hostname.replace(/^\[|\]$/g, ""));
    const secret = open && Object.keys(headers).length > 0;
    doubt(secret, `mcp.servers.${index}.url`, "its headers travel unencrypted: use https");
  });
  processes.forEach((process, index) => {
    const { cwd } = process;
    const program = localProcess.missingProgram(process);
    doubt(program !== undefined, `processes.${index}.argv`, program ?? "");
    const missing = cwd !== undefined && statSync(cwd, { throwIfNoEntry: false })?.isDirectory() !== true;
    doubt(missing, `processes.${index}.cwd`, `${cwd} is no folder`);
  });
  return told;
}

/** Looks at a configuration as the server would, its environment and the files that it names included. */
export function checkConfig(options: ConfigOptions): ConfigReport {
  const settings = readSettings(options);
  const { config, errors } = parseSettings(settings);
  const names = unknownNames(options.env).map(({ name, meant }) => ({
    path: name,
    message: `means nothing${meant === undefined ? "" : `; did you mean ${meant}?`}`,
  }));
  const doubled = doubledNames(options.env).map((name) => ({
    path: `${name}_FILE`,
    message: `is not read: ${name} is set, too`,
  }));
  const { file } = settings;
  const exposed = file === null ? [] : readableSecrets(file, settings);
  return {
    file,
    errors: [...errors, ...references(settings), ...(config === null ? [] : hostFiles(config, true))],
    warnings: [
      ...names,
      ...doubled,
      ...firstNames(options.env).map(({ name, why }) => ({ path: name, message: why })),
      ...exposed,
      ...(config === null ? [] : [...configWarnings(config), ...hostFiles(config, false)]),
    ],
  };
}
