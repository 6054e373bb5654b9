import type { V1Container, V1EnvVar, V1PodSpec, V1PodTemplateSpec } from "@kubernetes/client-node";
import { canonicalJson } from "../../../../lib/canonical-json.ts";
import { oneLine } from "./text.ts";

/** The part of the pod template that a change concerns: it decides which findings the change can cause. */
export type Aspect = "image" | "resources" | "placement" | "other";
/** One change between two revisions, described without values of environment variables. */
export type Change = { aspect: Aspect; text: string };

const same = (one: unknown, other: unknown) => canonicalJson(plain(one)) === canonicalJson(plain(other));
const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value ?? null));

function envChanges(where: string, before: V1EnvVar[] = [], after: V1EnvVar[] = []): Change[] {
  const find = (list: V1EnvVar[], name: string) => list.find((one) => one.name === name);
  const names = [...new Set([...before, ...after].map(({ name }) => name))];
  const changed = names.flatMap((name) => {
    const [old, young] = [find(before, name), find(after, name)];
    if (old === undefined) return [`${name} added`];
    if (young === undefined) return [`${name} removed`];
    return same(old, young) ? [] : [`${name} changed`];
  });
  return changed.length === 0
    ? []
    : [{ aspect: "other", text: `${where}: environment ${oneLine(changed.join(", "), 200)}` }];
}

function resourceChanges(where: string, before: V1Container, after: V1Container): Change[] {
  return (["requests", "limits"] as const).flatMap((part) => {
    const [old, young] = [before.resources?.[part] ?? {}, after.resources?.[part] ?? {}];
    return [...new Set([...Object.keys(old), ...Object.keys(young)])]
      .filter((name) => old[name] !== young[name])
      .map((name): Change => {
        const text = `${where}: ${part} of ${oneLine(name, 60)} ${old[name] ?? "none"} → ${young[name] ?? "none"}`;
        return { aspect: "resources", text };
      });
  });
}

const CONTAINER_FIELDS = [
  ["envFrom", "environment sources"],
  ["livenessProbe", "liveness probe"],
  ["readinessProbe", "readiness probe"],
  ["startupProbe", "startup probe"],
  ["volumeMounts", "volume mounts"],
  ["ports", "ports"],
  ["securityContext", "security context"],
  ["lifecycle", "lifecycle hooks"],
  ["workingDir", "working directory"],
] as const;

const commandOf = ({ command = [], args = [] }: V1Container) => oneLine([...command, ...args].join(" "), 100);

function containerChanges(before: V1Container, after: V1Container): Change[] {
  const where = `container ${after.name}`;
  const changes: Change[] = [];
  if (before.image !== after.image)
    changes.push({
      aspect: "image",
      text: `${where}: image ${oneLine(before.image ?? "none", 200)} → ${oneLine(after.image ?? "none", 200)}`,
    });
  if (!same([before.command, before.args], [after.command, after.args])) {
    const [old, young] = [commandOf(before), commandOf(after)];
    changes.push({
      aspect: "other",
      text: `${where}: command ${old || "of the image"} → ${young || "of the image"}`,
    });
  }
  changes.push(...envChanges(where, before.env, after.env), ...resourceChanges(where, before, after));
  for (const [field, words] of CONTAINER_FIELDS)
    if (!same(before[field], after[field]))
      changes.push({ aspect: "other", text: `${where}: ${words} changed` });
  return changes;
}

function listChanges(noun: string, before: V1Container[] = [], after: V1Container[] = []): Change[] {
  const find = (list: V1Container[], name: string) => list.find((one) => one.name === name);
  const gone = before.filter(({ name }) => find(after, name) === undefined);
  return [
    ...after.flatMap((young): Change[] => {
      const old = find(before, young.name);
      return old === undefined
        ? [
            {
              aspect: "image",
              text: `${noun} ${young.name} added, image ${oneLine(young.image ?? "none", 200)}`,
            },
          ]
        : containerChanges(old, young);
    }),
    ...gone.map(({ name }): Change => ({ aspect: "other", text: `${noun} ${name} removed` })),
  ];
}

const POD_FIELDS: readonly (readonly [keyof V1PodSpec, string, Aspect])[] = [
  ["affinity", "affinity", "placement"],
  ["nodeSelector", "node selector", "placement"],
  ["nodeName", "node name", "placement"],
  ["tolerations", "tolerations", "placement"],
  ["topologySpreadConstraints", "topology spread", "placement"],
  ["priorityClassName", "priority class", "placement"],
  ["volumes", "volumes", "placement"],
  ["serviceAccountName", "service account", "other"],
  ["dnsPolicy", "DNS policy", "other"],
  ["dnsConfig", "DNS configuration", "other"],
  ["hostNetwork", "host network", "placement"],
  ["imagePullSecrets", "image pull secrets", "image"],
  ["securityContext", "security context of the pod", "other"],
  ["runtimeClassName", "runtime class", "placement"],
];

/** Returns the changes between the templates of two revisions; none for a mere restart. */
export function templateChanges(before: V1PodTemplateSpec, after: V1PodTemplateSpec): Change[] {
  const [old, young] = [before.spec, after.spec];
  return [
    ...listChanges("container", old?.containers, young?.containers),
    ...listChanges("init container", old?.initContainers, young?.initContainers),
    ...POD_FIELDS.flatMap(([field, words, aspect]): Change[] =>
      same(old?.[field], young?.[field]) ? [] : [{ aspect, text: `${words} changed` }],
    ),
  ];
}
