import type { V1Node } from "@kubernetes/client-node";
import type { FindingCode } from "./codes.ts";
import type { Analyser, Draft, Facts } from "./facts.ts";
import { nameOf } from "./pods.ts";
import { ago, oneLine, podsText } from "./text.ts";

type Kind = { code: FindingCode; bad: string; title: string; meaning: string };

// By the type of the condition; `bad` is the status that means trouble.
const CONDITIONS: Record<string, Kind> = {
  DiskPressure: {
    code: "node_disk_pressure",
    bad: "True",
    title: "runs out of disk",
    meaning:
      "It evicts pods and accepts no new ones until space is freed: look at images, logs and emptyDir volumes.",
  },
  MemoryPressure: {
    code: "node_memory_pressure",
    bad: "True",
    title: "runs out of memory",
    meaning: "It evicts pods and accepts no new ones: look for pods without memory limits on it.",
  },
  PIDPressure: {
    code: "node_pid_pressure",
    bad: "True",
    title: "has too many processes",
    meaning: "Look for a pod that starts processes without end.",
  },
  NetworkUnavailable: {
    code: "node_network_unavailable",
    bad: "True",
    title: "has no network for pods",
    meaning: "Look at the network plugin's pod on it.",
  },
};

const podsOn = ({ pods }: Facts, node: string) =>
  pods.filter(({ spec, status }) => spec?.nodeName === node && status?.phase !== "Succeeded").map(nameOf);

function conditionFacts(node: V1Node, type: string): Draft["facts"] {
  const condition = node.status?.conditions?.find((one) => one.type === type);
  const { status = "?", reason = "", message = "" } = condition ?? {};
  const text = `condition ${type} is ${status}${reason && ` (${oneLine(reason, 60)})`}: ${oneLine(message) || "no message"}`;
  return [{ subject: `node/${nameOf(node)}`, text, at: condition?.lastTransitionTime }];
}

function notReady(facts: Facts, node: V1Node): Draft[] {
  const ready = node.status?.conditions?.find(({ type }) => type === "Ready");
  if (ready?.status === "True") return [];
  const names = podsOn(facts, nameOf(node));
  const silent = ready === undefined || ready.status === "Unknown";
  const since = ready?.lastTransitionTime;
  const when = since === undefined ? "" : ` for ${ago(since, facts.now)}`;
  return [
    {
      code: "node_not_ready",
      title: `Node ${nameOf(node)} is not ready${when}${silent ? ": its kubelet does not report" : ""}`,
      meaning: `${
        names.length === 0 ? "" : `It runs ${podsText(names)}. `
      }${silent ? "Check that the machine runs and reaches the API server." : "The kubelet's reason is in the evidence."}`,
      facts: conditionFacts(node, "Ready"),
      pods: names,
    },
  ];
}

/** Finds nodes that are not ready, under pressure, or cordoned. */
export const nodes: Analyser = (facts) =>
  facts.nodes.flatMap((node) => {
    const name = nameOf(node);
    const pressures = (node.status?.conditions ?? []).flatMap(({ type, status }): Draft[] => {
      const kind = Object.hasOwn(CONDITIONS, type) ? CONDITIONS[type] : undefined;
      if (kind === undefined || status !== kind.bad) return [];
      const { code, title, meaning } = kind;
      return [
        {
          code,
          title: `Node ${name} ${title}`,
          meaning,
          facts: conditionFacts(node, type),
          pods: podsOn(facts, name),
        },
      ];
    });
    const cordoned: Draft[] =
      node.spec?.unschedulable === true
        ? [
            {
              code: "node_cordoned",
              title: `Node ${name} is cordoned`,
              meaning: "It accepts no new pods until it is uncordoned; it may be under maintenance.",
              facts: [{ subject: `node/${name}`, text: "spec.unschedulable is true" }],
            },
          ]
        : [];
    return [...notReady(facts, node), ...pressures, ...cordoned];
  });
