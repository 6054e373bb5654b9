import { autoscalerPatch, workloadPatch } from "../patch.ts";
import { kindOf } from "./kubectl-kinds.ts";
import { clusterOf, type Kubectl, oneObject, placeOf } from "./kubectl-objects.ts";
import { refuse, shown } from "./refused.ts";
import { change, reads, type Verdict } from "./verdict.ts";
import { known, plainWord, type Word } from "./word.ts";

const COMMON = ["--namespace", "--context", "--request-timeout"];
/** Flags that only change what kubectl prints, or how long it waits. */
const SHOWS = ["--output", "--timeout", "--wait", "--field-manager"];

/** Flags that act on more than one named object, or skip a safeguard. */
const TOO_FAR: Readonly<Record<string, string>> = {
  "--all": "acts on everything of its kind",
  "--all-namespaces": "acts in every namespace",
  "--selector": "acts on whatever fits at that moment",
  "--field-selector": "acts on whatever fits at that moment",
  "--pod-selector": "acts on whatever fits at that moment",
  "--filename": "acts on what a file names",
  "--kustomize": "acts on what a file names",
  "--recursive": "acts on what files name",
  "--patch-file": "acts by what a file holds",
  "--raw": "goes past the kinds of resources",
  "--force": "gives up what would be waited for or kept",
  "--now": "gives no time to end",
  "--grace-period": "changes how much time there is to end",
  "--disable-eviction": "goes past disruption budgets",
  "--cascade": "changes what is deleted along with it",
  "--local": "changes nothing on a server",
};

const NEVER_DELETED = new Map([
  ["namespace", "deletes everything in the namespace"],
  ["persistentvolume", "can delete what is on the volume"],
  ["persistentvolumeclaim", "can delete what is on the volume"],
  ["customresourcedefinition", "deletes every object of the kind"],
  ["node", "takes the node out of the cluster"],
  ["secret", "deletes a secret"],
]);

/** Returns whether `--dry-run` is on. Without a value it is the older form of `client`. */
function isTrial({ flags }: Kubectl): boolean {
  if (!flags.has("--dry-run")) return false;
  const value = flags.value("--dry-run") ?? "client";
  if (value === "none") return false;
  if (value === "client" || value === "server") return true;
  return refuse(`--dry-run is none, client or server, not ${shown(value)}`);
}

function whole(text: string | undefined, name: string): number {
  if (text === undefined) refuse(`${name} is missing`);
  if (!/^\d{1,10}$/.test(text)) refuse(`${name} is a whole number, not ${shown(text)}`);
  return Number(text);
}

function pairs(words: readonly (readonly [string, string])[], what: string): Record<string, string> {
  const names = words.map(([name]) => name);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) refuse(`${shown(twice)} has two values`);
  if (words.length === 0) refuse(`${what} is missing`);
  return Object.fromEntries(words);
}

function pairOf(text: string): readonly [string, string] {
  const equals = text.indexOf("=");
  if (equals < 1 || text.startsWith("__proto__=")) refuse(`${shown(text)} is no name=value`);
  return [text.slice(0, equals), text.slice(equals + 1)];
}

const isPair = (word: Word) => word.text.includes("=");

function setImage(command: Kubectl): Verdict {
  const images = command.operands.filter(isPair).map((word) => pairOf(known(word, "an image")));
  const object = { ...command, operands: command.operands.filter((word) => !isPair(word)) };
  return change(
    {
      kind: "kubernetes.set_image",
      target: { ...oneObject(object), ...placeOf(object) },
      parameters: { images: pairs(images, "an image (container=image)") },
    },
    "changes images",
  );
}

function amountsOf(text: string | undefined, name: string): { [name: string]: Record<string, string> } {
  if (text === undefined) return {};
  return { [name]: pairs(text.split(",").map(pairOf), name) };
}

function setResources(command: Kubectl): Verdict {
  const { flags } = command;
  const container = flags.value("--containers");
  return change(
    {
      kind: "kubernetes.set_resources",
      target: { ...oneObject(command), ...placeOf(command) },
      parameters: {
        ...(container === undefined || container === "*" ? {} : { container }),
        ...amountsOf(flags.value("--requests"), "requests"),
        ...amountsOf(flags.value("--limits"), "limits"),
      },
    },
    "changes resources",
  );
}

/** Parses a patch. Only a strategic merge patch merges lists by name; in other types a list replaces the old one. */
function patch(command: Kubectl): Verdict {
  const { flags } = command;
  const type = flags.value("--type") ?? "strategic";
  const text = flags.value("--patch");
  if (text === undefined) refuse("kubectl patch has no patch (-p)");
  let content: unknown;
  const keys = new Set<string>();
  try {
    content = JSON.parse(text, (key, value: unknown) => {
      keys.add(key);
      return value;
    });
  } catch {
    refuse(`the patch is not JSON: ${shown(text)}`);
  }
  // The key `__proto__` would be lost when the object is copied into the operation.
  if (keys.has("__proto__")) refuse("the patch names __proto__");
  if (type === "json") refuse("--type=json is not read: give the patch as an object");
  if (type !== "strategic" && type !== "merge") refuse(`${shown(type)} is no type of patch`);
  if (type === "merge" && text.includes("["))
    refuse("--type=merge replaces whole lists: use the strategic type");
  const target = { ...oneObject(command), ...placeOf(command) };
  const allowed = target.kind === "horizontalpodautoscaler" ? autoscalerPatch : workloadPatch;
  const [issue] = allowed.safeParse(content).error?.issues ?? [];
  if (issue !== undefined) {
    refuse(`the patch is not among what may be changed: ${issue.path.join(".")} ${issue.message}`);
  }
  return change({ kind: "kubernetes.patch", target, parameters: { patch: content } }, "changes by a patch");
}

function onNode(command: Kubectl, parameters: object): Verdict {
  const { verb, operands } = command;
  const [first] = operands;
  // A node is named by its bare name; `node/NAME` is accepted, too.
  const bare = first !== undefined && !first.head.includes("/");
  const object = oneObject(bare ? { ...command, operands: [plainWord("node"), ...operands] } : command);
  return change(
    { kind: `kubernetes.${verb}`, target: { ...object, ...clusterOf(command) }, parameters },
    `${verb}s a node`,
  );
}

function remove(command: Kubectl): Verdict {
  const [first] = command.operands;
  const kind = kindOf(first?.text.split("/")[0] ?? "");
  if (first !== undefined && kind !== "pod") {
    const why = NEVER_DELETED.get(kind.split(",")[0] ?? "");
    refuse(
      `kubectl delete ${kind} ${why ?? "is no operation: only pods that something replaces are deleted"}`,
    );
  }
  return change(
    {
      kind: "kubernetes.delete_pod",
      target: { ...oneObject(command), ...placeOf(command) },
      parameters: {},
    },
    "deletes a pod",
  );
}

type Maker = { flags: readonly string[]; make: (command: Kubectl) => Verdict };

const onWorkload =
  (kind: string, reason: string, parameters: (command: Kubectl) => object) =>
  (command: Kubectl): Verdict =>
    change(
      {
        kind,
        target: { ...oneObject(command), ...placeOf(command) },
        parameters: parameters(command),
      },
      reason,
    );

/** Reads `--to-revision`; for kubectl, 0 means the previous revision. */
function toRevision({ flags }: Kubectl): object {
  const text = flags.value("--to-revision");
  const revision = text === undefined ? 0 : whole(text, "--to-revision");
  return revision === 0 ? {} : { to_revision: revision };
}

const MAKERS: Readonly<Record<string, Maker>> = {
  "rollout restart": {
    flags: [],
    make: onWorkload("kubernetes.rollout_restart", "restarts a workload, pod by pod", () => ({})),
  },
  "rollout undo": {
    flags: ["--to-revision"],
    make: onWorkload("kubernetes.rollout_undo", "goes back to an earlier revision", toRevision),
  },
  scale: {
    flags: ["--replicas"],
    make: onWorkload("kubernetes.scale", "sets the number of replicas", ({ flags }) => ({
      replicas: whole(flags.value("--replicas"), "--replicas"),
    })),
  },
  delete: { flags: ["--ignore-not-found"], make: remove },
  cordon: { flags: [], make: (command) => onNode(command, {}) },
  uncordon: { flags: [], make: (command) => onNode(command, {}) },
  drain: {
    flags: ["--ignore-daemonsets", "--delete-emptydir-data", "--delete-local-data"],
    make: (command) =>
      onNode(command, {
        ignore_daemonsets: command.flags.on("--ignore-daemonsets"),
        delete_emptydir_data:
          command.flags.on("--delete-emptydir-data") || command.flags.on("--delete-local-data"),
      }),
  },
  "set image": { flags: [], make: setImage },
  "set resources": { flags: ["--containers", "--requests", "--limits"], make: setResources },
  patch: { flags: ["--patch", "--type"], make: patch },
};

/** Parses a changing kubectl command into one typed operation, or a read if it is a dry-run; refuses any other. */
export function kubectlChange(command: Kubectl): Verdict {
  const { verb, flags } = command;
  const maker = MAKERS[verb];
  if (maker === undefined) return refuse(`kubectl ${verb} is no typed operation`);
  for (const name of flags.names) {
    if (TOO_FAR[name] !== undefined) refuse(`${name} of kubectl ${verb} ${TOO_FAR[name]}`);
  }
  flags.only([...COMMON, ...SHOWS, ...maker.flags, "--dry-run"], `of kubectl ${verb}`);
  const verdict = maker.make(command);
  return isTrial(command) ? reads(`tries kubectl ${verb} and changes nothing (--dry-run)`) : verdict;
}
