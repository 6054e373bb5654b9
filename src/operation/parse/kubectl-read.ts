import { isSecretKind } from "../names.ts";
import type { ReadFlags } from "./flags.ts";
import { kindOf } from "./kubectl-kinds.ts";
import type { Kubectl } from "./kubectl-objects.ts";
import { HARMLESS_PATHS } from "./kubectl-table.ts";
import { guardOperands, guardValues, isLoose } from "./loose.ts";
import { refuse, shown } from "./refused.ts";
import { reads, type Verdict } from "./verdict.ts";
import { plainWord, unknownIn, type Word } from "./word.ts";

/** Output formats that show only an object's name and a line about it. */
const BARE_OUTPUT = new Set(["", "wide", "name"]);

/** Returns the kinds that the operands name (`pods,svc`, or `deploy/api pod/x`); null when one is not known. */
function kindsOf(operands: readonly Word[]): string[] | null {
  const withName = operands.filter((word) => word.text.includes("/"));
  const naming = withName.length > 0 ? withName : operands.slice(0, 1);
  const kinds = naming.map((word) => (word.text.includes("/") ? word.text.split("/")[0] : word.text) ?? "");
  const unclear = naming.some((word, index) => word.head.length < (kinds[index]?.length ?? 0));
  return unclear ? null : kinds.flatMap((kind) => kind.split(",")).map(kindOf);
}

/** Verbs besides `get` with a flag that discloses or writes: wait -o, config view --raw, cluster-info dump's folder. */
const HARMFUL = new Set(["wait", "config view", "cluster-info", "cluster-info dump"]);
/** Output formats that take their template from a file and so print it. */
const FROM_FILE = /^(?:[a-z-]+-file|templatefile)(?:=|$)/;

/** Refuses unknown words that may become such a flag. `get` with a fixed kind that is no secret has no harmful flag. */
function guardUnknown({ verb, operands }: Kubectl, read: ReadFlags): void {
  const what = `kubectl ${verb}`;
  const [first] = operands;
  const kinds = kindsOf(operands);
  const fixed = first?.unknown === null && !first.text.includes("/") && kinds?.some(isSecretKind) === false;
  const harmful = HARMFUL.has(verb);
  guardOperands(operands, harmful || (verb === "get" && !fixed) ? "harm" : "lead", what);
  guardValues(read, !harmful, what);
}

/** Refuses output that shows the content of secrets, or of objects that might be secrets. */
function guardSecrets({ flags, operands }: Kubectl, read: ReadFlags): void {
  const output = flags.has("--template") ? "template" : (flags.text("--output") ?? "");
  const data = !BARE_OUTPUT.has(output);
  const fromFile = flags.has("--filename") || flags.has("--kustomize");
  const kinds = kindsOf(operands);
  if (!data) return;
  if (kinds === null || fromFile) {
    refuse(`what is shown as ${shown(output)} is not known, and might be a secret`);
  }
  const secret = kinds.find(isSecretKind);
  if (secret !== undefined) refuse(`${shown(secret)} shown as ${shown(output)} discloses what it holds`);
  // If a flag's value may be empty, the words shift and any of them may be the kind.
  const words = isLoose(read) ? [...operands, ...flags.words] : [];
  const moved = words.find((word) => isSecretKind(word.text));
  if (moved !== undefined) refuse(`${shown(moved.text)} may be the kind that is shown as ${shown(output)}`);
}

function guardRaw({ flags }: Kubectl): void {
  if (!flags.has("--raw")) return;
  const path = flags.value("--raw") ?? "";
  if (!HARMLESS_PATHS.test(path)) refuse(`--raw ${shown(path)} reads a path that might hold anything`);
}

const GUARDS: Readonly<Record<string, (command: Kubectl, read: ReadFlags) => void>> = {
  get: (command, read) => {
    guardRaw(command);
    if (!command.flags.has("--raw")) guardSecrets(command, read);
  },
  wait: guardSecrets,
  "config view": ({ flags }) => {
    if (flags.has("--raw") && flags.on("--raw")) refuse("--raw of kubectl config view discloses credentials");
  },
  "apply view-last-applied": () => refuse("kubectl apply view-last-applied can show what a secret holds"),
};

const ENDLESS = ["--follow", "--watch", "--watch-only"];

/** Returns the one object, or the one kind, that is read; null for anything more complex. */
function subject(operands: readonly Word[]): { kind: string; name?: string } | null {
  const [first, second] = operands;
  if (first === undefined) return null;
  const parts = first.text.split("/");
  if (parts.length === 2 && operands.length === 1)
    return { kind: kindOf(parts[0] ?? ""), name: parts[1] ?? "" };
  if (parts.length !== 1 || operands.length > 2 || first.text.includes(",")) return null;
  const kind = kindOf(first.text);
  return second === undefined ? { kind } : { kind, name: second.text };
}

const SELECTION: Readonly<Record<string, string>> = {
  "--selector": "selector",
  "--field-selector": "field_selector",
};

function duration(text: string | undefined): number | null | undefined {
  if (text === undefined) return undefined;
  const [, count, unit = ""] = /^(\d{1,9})([smh])$/.exec(text) ?? [];
  return count === undefined ? null : Number(count) * ({ s: 1, m: 60, h: 3_600 }[unit] ?? 1);
}

/** Returns the parameters of a typed read by verb; flags that only affect printing are left out. */
function parametersOf({ verb, flags }: Kubectl): Record<string, unknown> {
  if (verb.startsWith("top")) return flags.on("--containers") ? { containers: true } : {};
  if (verb !== "logs") return {};
  const container = flags.value("--container");
  const [tail, since] = [flags.value("--tail"), duration(flags.value("--since"))];
  return {
    ...(container === undefined ? {} : { container }),
    ...(flags.on("--all-containers") ? { all_containers: true } : {}),
    ...(flags.on("--previous") ? { previous: true } : {}),
    // For kubectl, -1 means all lines.
    ...(tail === undefined || tail === "-1" ? {} : { tail: Number(tail) }),
    ...(since === undefined ? {} : { since_seconds: since }),
  };
}

const TYPED = ["get", "describe", "logs", "top pod", "top node"];
/** Flags that a typed read has a field for, or that only change what is printed. */
const UNDERSTOOD = new Set(
  `--namespace --context --request-timeout --selector --field-selector --all-namespaces --container
  --all-containers --previous --tail --since --containers --output --no-headers --show-labels --show-kind
  --sort-by --label-columns --chunk-size --show-events --timestamps --prefix --ignore-not-found
  --use-protocol-buffers --show-managed-fields --sum --show-capacity --limit-bytes`.split(/\s+/),
);

/** Returns the typed read for a command; null when there is none. */
function candidate(command: Kubectl): Parameters<typeof reads>[1] {
  const { verb, flags, operands, context } = command;
  if (!TYPED.includes(verb) || !flags.names.every((name) => UNDERSTOOD.has(name))) return null;
  const words = verb.startsWith("top ") ? [plainWord(verb.slice(4)), ...operands] : operands;
  // `kubectl logs` reads pods unless another kind is given.
  const logs = verb === "logs";
  const found =
    logs && words.length === 1 && !words[0]?.text.includes("/") ? [plainWord("pod"), ...words] : words;
  const about = logs && words.length === 0 ? { kind: "pod" } : subject(found);
  if (about === null || (logs && words.length > 1)) return null;
  const cluster = flags.value("--context") ?? context.cluster;
  const namespace = flags.value("--namespace");
  const place = {
    ...(namespace === undefined ? {} : { namespace }),
    ...(cluster === undefined ? {} : { cluster }),
  };
  const kind = `kubernetes.${verb.split(" ")[0]}`;
  const own = parametersOf(command);
  const picks = Object.keys(SELECTION).some((name) => flags.has(name)) || flags.has("--all-namespaces");
  if (about.name !== undefined) {
    return picks ? null : { kind, target: { ...about, ...place }, parameters: own };
  }
  const selected = Object.entries(SELECTION).flatMap(([flag, field]) => {
    const value = flags.value(flag);
    return value === undefined ? [] : [[field, value]];
  });
  const everywhere = flags.on("--all-namespaces") ? { all_namespaces: true } : {};
  const parameters = {
    resource: about.kind,
    ...place,
    ...everywhere,
    ...Object.fromEntries(selected),
    ...own,
  };
  return { kind, target: null, parameters };
}

/** Parses a reading kubectl command; refuses one that would disclose credentials. */
export function kubectlRead(command: Kubectl, read: ReadFlags): Verdict {
  const { verb, flags, operands } = command;
  GUARDS[verb]?.(command, read);
  guardUnknown(command, read);
  const output = flags.text("--output") ?? "";
  if (FROM_FILE.test(output)) refuse(`--output ${shown(output)} prints a file`);
  const endless = ENDLESS.find((name) => verb !== "rollout status" && flags.has(name) && flags.on(name));
  if (endless !== undefined) return reads(`reads, and goes on until it is stopped (${endless})`);
  const unknown = unknownIn([...operands, ...flags.words]);
  if (unknown !== null) return reads(`only reads, whatever ${shown(unknown)} stands for`);
  return reads(`kubectl ${verb} only reads`, candidate(command));
}
