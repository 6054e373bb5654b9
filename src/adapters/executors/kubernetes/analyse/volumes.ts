import type { CoreV1Event, V1PersistentVolumeClaim, V1Pod } from "@kubernetes/client-node";
import type { FindingCode } from "./codes.ts";
import type { Analyser, Draft } from "./facts.ts";
import {
  containersOf,
  eventFact,
  eventsOf,
  firstFacts,
  grouped,
  livePods,
  nameOf,
  secondsSince,
} from "./pods.ts";
import { oneLine, podsText } from "./text.ts";

function whyPending(said: string, storageClass: string | undefined): string {
  if (/storageclass\S* "?[^"]*"? not found/i.test(said))
    return `there is no storage class ${storageClass ?? ""}`.trim();
  if (/zone|topology|node affinity/i.test(said)) return "no volume can be created where its pod may run";
  if (/quota|exceeded|insufficient|no space|capacity|out of/i.test(said))
    return "there is not enough capacity";
  if (/no persistent volumes available/i.test(said))
    return "no existing volume fits, and no provisioner creates one";
  if (/waiting for first consumer/i.test(said)) return "it waits until a pod that uses it is scheduled";
  return "no volume was provisioned for it";
}

function pendingDraft(claim: V1PersistentVolumeClaim, events: readonly CoreV1Event[]): Draft {
  const name = nameOf(claim);
  const storageClass = claim.spec?.storageClassName;
  const why = whyPending(events.map(({ message = "" }) => message).join("\n"), storageClass);
  const size = claim.spec?.resources?.requests?.storage ?? "?";
  return {
    code: "volume_pending",
    title: `The persistent volume claim ${name} (${size}) is pending: ${why}`,
    meaning: "Pods that use it cannot start. Look at its storage class and the provisioner's log.",
    facts: [
      {
        subject: `persistentvolumeclaim/${name}`,
        text: `is ${claim.status?.phase ?? "pending"}, asks for ${size} of storage class ${storageClass ?? "(default)"}`,
        at: claim.metadata?.creationTimestamp,
      },
      ...events.slice(0, 2).map(eventFact),
    ],
  };
}

/** Finds claims that have no volume. */
export const claims: Analyser = (facts) =>
  facts.claims
    .filter(({ status }) => status?.phase === "Pending" || status?.phase === "Lost")
    .map((claim) => ({ claim, events: eventsOf(facts, "persistentvolumeclaim", nameOf(claim)) }))
    // WaitForFirstConsumer: waits for a pod by design; what keeps the pod is another finding.
    .filter(({ events }) => events[0]?.reason !== "WaitForFirstConsumer")
    .map(({ claim, events }) => pendingDraft(claim, events));

/** Notes for a bound claim its size and what mounts it. */
export const claimUse: Analyser = ({ claims: list, users, pods }) =>
  list
    .filter(({ status }) => status?.phase === "Bound")
    .map((claim): Draft => {
      const name = nameOf(claim);
      const size = claim.status?.capacity?.storage ?? claim.spec?.resources?.requests?.storage ?? "?";
      const by = users.length === 0 ? "no pod that was found" : users.join(", ");
      return {
        code: "volume_in_use",
        title: `The persistent volume claim ${name} (${size}) is mounted by ${by}`,
        meaning:
          "Free space on a full volume in the application, or enlarge it where its storage class allows that; a restart frees nothing.",
        facts: [
          {
            subject: `persistentvolumeclaim/${name}`,
            text: `has volume ${claim.spec?.volumeName ?? "?"} of ${size}, storage class ${claim.spec?.storageClassName || "(none)"}; ${podsText(pods.map(nameOf))} mount${pods.length === 1 ? "s" : ""} it`,
          },
        ],
        pods: pods.map(nameOf),
      };
    });

type Trouble = { code: FindingCode; title: string; meaning: string };

const quoted = (text: string) => text.replaceAll(/["']/g, "");

/** Recognises a kubelet's message about a missing config map, secret or key; undefined for other messages. */
export function missingConfig(said: string): Trouble | undefined {
  const name = '"?([\\w./-]{1,300})"?';
  const object = new RegExp(`(configmap|secret)s? ${name} not found`, "i").exec(said);
  if (object !== null) {
    const [, kind = "", which = ""] = object;
    const isSecret = kind.toLowerCase() === "secret";
    const noun = isSecret ? "secret" : "config map";
    return {
      code: isSecret ? "secret_missing" : "config_map_missing",
      title: `The ${noun} ${quoted(which)} does not exist`,
      meaning: `Create the ${noun} in the namespace, or correct the name in the pod template.`,
    };
  }
  const key =
    new RegExp(`couldn't find key ${name} in (configmap|secret) ${name}`, "i").exec(said) ??
    new RegExp(`references non-existent (?:config|secret) key: ${name}`, "i").exec(said);
  if (key === null) return undefined;
  const [, which = "", kind, where] = key;
  const place =
    kind === undefined ? "its source" : `the ${/map/i.test(kind) ? "config map" : "secret"} ${where}`;
  return {
    code: "config_key_missing",
    title: `The key ${which} is not in ${place}`,
    meaning: "Add the key, or correct its name in the pod template.",
  };
}

/** A pod whose containers wait to be created, with the latest event that says why. */
type Waiting = { pod: V1Pod; event: CoreV1Event };

const CREATING = ["ContainerCreating", "PodInitializing"];

/** Finds pods that wait because a volume or their network cannot be set up. */
export const mounts: Analyser = (facts) => {
  const waiting = livePods(facts)
    .filter((pod) =>
      containersOf(pod).some(({ status }) => CREATING.includes(status.state?.waiting?.reason ?? "")),
    )
    .flatMap((pod): Waiting[] => {
      const reasons = ["FailedMount", "FailedAttachVolume", "FailedMapVolume", "FailedCreatePodSandBox"];
      const [event] = eventsOf(facts, "pod", nameOf(pod), ...reasons);
      return event === undefined || secondsSince(event.lastTimestamp, facts.now) > 3_600
        ? []
        : [{ pod, event }];
    });
  const troubleOf = ({ event }: Waiting): Trouble => {
    const said = event.message ?? "";
    if (event.reason === "FailedCreatePodSandBox") {
      return {
        code: "pod_sandbox_failed",
        title: "The network of a pod cannot be set up",
        meaning: "Look at the network plugin on its node; other pods of the node will be affected too.",
      };
    }
    const volume = /volumes?[= ]"?\[?([\w.-]{1,253})/.exec(said)?.[1];
    return (
      missingConfig(said) ?? {
        code: "volume_mount_failed",
        title: `The volume ${volume ?? "of a pod"} cannot be mounted`,
        meaning:
          "See the evidence: most often it is still attached to another node, or its storage does not answer.",
      }
    );
  };
  return [...grouped(waiting, (one) => troubleOf(one).title).values()].map((same): Draft => {
    const names = same.map(({ pod }) => nameOf(pod));
    const trouble = troubleOf(same[0] as Waiting);
    const meaning = `${trouble.meaning} It keeps ${podsText(names)} from starting.`;
    return { ...trouble, meaning, facts: firstFacts(same, ({ event }) => eventFact(event)), pods: names };
  });
};

const CONFIG_REASONS = ["CreateContainerConfigError", "CreateContainerError"];

/** Finds containers that cannot be created: something in their configuration is missing or not allowed. */
export const configuration: Analyser = (facts) => {
  const stuck = livePods(facts)
    .flatMap(containersOf)
    .filter(({ status }) => CONFIG_REASONS.includes(status.state?.waiting?.reason ?? ""));
  const said = (one: (typeof stuck)[number]) => one.status.state?.waiting?.message ?? "";
  return [...grouped(stuck, said).entries()].map(([message, same]): Draft => {
    const names = [...new Set(same.map(({ pod }) => nameOf(pod)))];
    const trouble = missingConfig(message) ?? {
      code: "container_config_invalid" as const,
      title: `Container ${same[0]?.status.name} cannot be created: ${oneLine(message, 160) || "no reason given"}`,
      meaning: "The pod template is invalid for this container: correct it there.",
    };
    return {
      ...trouble,
      meaning: `${trouble.meaning} It keeps ${podsText(names)} from starting.`,
      facts: firstFacts(same, ({ pod, status }) => ({
        subject: `pod/${nameOf(pod)}`,
        text: `container ${status.name} waits (${status.state?.waiting?.reason}: ${oneLine(message)})`,
      })),
      pods: names,
    };
  });
};
