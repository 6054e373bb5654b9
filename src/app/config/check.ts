import { statSync } from "node:fs";
import { loadRules, loadServiceRegistry } from "../../decision/index.ts";
import { loadTopology } from "../../incident/index.ts";
import { loadClassification, senderCheck } from "../../intake/index.ts";
import { AwoooiError, type FieldError, messageOf } from "../../lib/error.ts";
import { secretAt } from "../../lib/setting.ts";
import { shellQuoted } from "../../lib/shell.ts";
import { EXECUTORS, NOTIFIERS } from "../adapters.ts";
import { knownNames } from "../create-adapters.ts";
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
} from "./load.ts";
import { type Config, configSchema } from "./schema.ts";
import { secretPaths } from "./secret.ts";

export type ConfigReport = {
  /** The configuration file, also if it could not be read; null without one: defaults and environment apply. */
  file: string | null;
  errors: FieldError[];
  /** Settings that the server would accept and that are probably mistakes. */
  warnings: FieldError[];
};

/** Runs `work` and returns its errors under the path of the setting that caused it. */
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

/** Returns the errors in the files and networks that settings name, even if other settings are invalid. */
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
  ];
}

/** Returns the problems with what executors' settings name, even if other settings are invalid. */
function executorProblems({ tree }: Settings): (FieldError & { fatal: boolean })[] {
  return EXECUTORS.flatMap(({ settings, problems }) => {
    const { data } = settings.schema.safeParse(settingAt(tree, settings.path));
    const found = data === undefined ? [] : (problems?.(data) ?? []);
    return found.map(({ path, message, fatal }) => {
      const whole = path === "" ? settings.path : `${settings.path}.${path}`;
      return { path: whole, message, fatal };
    });
  });
}

const LOOPBACK = /^(127\.|::1$|localhost$)/;
const EVERYONE = /^(0\.0\.0\.0|::)\/0$/;

/** Returns how to give a secret by a file of its own: by an environment variable or by a setting; undefined if neither. */
function elsewhere(path: string): string | undefined {
  const name = environmentNameOf(path);
  if (name !== undefined) return `${name}_FILE`;
  const section = path.split(".").slice(0, -1);
  // In what others have named, such as an environment, each name is possible and none is a setting.
  if (secretAt(configSchema, section) !== null) return undefined;
  const file = `${path}_file`;
  return secretAt(configSchema, file.split(".")) === undefined ? undefined : file;
}

/** Warns of secrets in a configuration file that other users may read. */
function readableSecrets(file: string, { from, tree }: Settings): FieldError[] {
  const secrets = secretPaths(tree).filter((path) => !from.has(path));
  const mode = statSync(file, { throwIfNoEntry: false })?.mode ?? 0;
  if (secrets.length === 0 || (mode & 0o044) === 0) return [];
  const shown = (path: string) => namedPath(tree, path);
  const others = secrets.flatMap((path) => elsewhere(path) ?? []).map(shown);
  const or = others.length === 0 ? "" : `, or name a file that holds it with ${others.join(", ")}`;
  const message = `is a secret in a file that others may read: chmod 600 ${shellQuoted(file)}${or}`;
  return [{ path: secrets.map(shown).join(", "), message }];
}

/** Returns the disabled external tools that no server lists: a misspelt name disables nothing. */
function strangeTools(config: Config): string[] {
  const offered = knownNames(config, "tools");
  return config.execution.disabled_tools.filter((name) => name.includes("/") && !offered.includes(name));
}

function configWarnings(config: Config): FieldError[] {
  const { env, server, intake, approval, notification } = config;
  const told: FieldError[] = [];
  const doubt = (when: boolean, path: string, message: string) => when && told.push({ path, message });
  const credentials = intake.bearer_tokens.length + intake.basic.length > 0;
  const away = !LOOPBACK.test(server.host);
  const everyone = intake.trusted_networks.some((network) => EVERYONE.test(network));
  doubt(everyone, "intake.trusted_networks", "trusts every address: any client of the port may send alerts");
  doubt(
    away && !credentials,
    "server.host",
    `${server.host} is reachable from other machines, and webhooks need no credentials: set intake.bearer_tokens or intake.basic`,
  );
  doubt(
    env === "prod" && !credentials,
    "intake",
    "in production no sender has a secret: any host in a trusted network may send alerts",
  );
  doubt(
    env === "prod" && intake.hmac_secrets.length === 0,
    "intake.hmac_secrets",
    "in production generic alerts are refused without one",
  );
  const { enabled } = notification;
  const elsewhereTold = NOTIFIERS.filter((kind) => !kind.local).flatMap((kind) =>
    kind.channels(notification),
  );
  doubt(!enabled, "notification.enabled", "no notifications are sent");
  doubt(
    enabled && env === "prod" && elsewhereTold.length === 0,
    "notification",
    "notifications go to the server's terminal only: set notification.webhook",
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
    `no server of mcp lists ${strange.join(", ")}: check the spelling`,
  );
  return told;
}

/** Checks a configuration as the server would, including the environment and the files that it names. */
export function checkConfig(options: ConfigOptions): ConfigReport {
  const settings = readSettings(options);
  const { config, errors } = parseSettings(settings);
  const names = unknownNames(options.env).map(({ name, meant }) => ({
    path: name,
    message: `is unknown${meant === undefined ? "" : `; did you mean ${meant}?`}`,
  }));
  const doubled = doubledNames(options.env).map((name) => ({
    path: `${name}_FILE`,
    message: `is ignored: ${name} is set, too`,
  }));
  const { file } = settings;
  const exposed = file === null ? [] : readableSecrets(file, settings);
  const problems = executorProblems(settings);
  const those = (fatal: boolean) =>
    problems.filter((one) => one.fatal === fatal).map(({ path, message }) => ({ path, message }));
  return {
    file,
    errors: [...errors, ...references(settings), ...those(true)],
    warnings: [
      ...names,
      ...doubled,
      ...firstNames(options.env).map(({ name, why }) => ({ path: name, message: why })),
      ...exposed,
      ...(config === null ? [] : configWarnings(config)),
      ...those(false),
    ],
  };
}
