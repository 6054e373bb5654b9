import type { V1Pod, V1ServicePort } from "@kubernetes/client-node";
import { counted } from "../../../../lib/words.ts";
import type { Analyser, Draft, Fact, Facts, ServiceFacts } from "./facts.ts";
import { isReady, livePods, nameOf } from "./pods.ts";
import { oneLine, podsText } from "./text.ts";

function selects({ service }: ServiceFacts, pod: V1Pod): boolean {
  const selector = Object.entries(service.spec?.selector ?? {});
  return selector.length > 0 && selector.every(([key, value]) => pod.metadata?.labels?.[key] === value);
}

const selectorText = ({ service }: ServiceFacts) =>
  oneLine(
    Object.entries(service.spec?.selector ?? {})
      .map(([key, value]) => `${key}=${value}`)
      .join(","),
    200,
  );

const addressFact = (one: ServiceFacts): Fact => ({
  subject: `service/${nameOf(one.service)}`,
  text: `selector ${selectorText(one)}; ${
    one.ready === null
      ? "its endpoints could not be read"
      : `${counted(one.ready, "ready address")}, ${one.unready} not ready`
  }`.replace("addresss", "addresses"),
});

/** Returns the service's ports whose target no container of these pods declares. */
function strayPorts({ service }: ServiceFacts, pods: readonly V1Pod[]): V1ServicePort[] {
  const ports = pods.flatMap(({ spec }) => (spec?.containers ?? []).flatMap((one) => one.ports ?? []));
  // Containers need not declare ports: if none does, nothing can be told.
  if (ports.length === 0) return [];
  return (service.spec?.ports ?? []).filter(({ port, targetPort = port }) => {
    const named = typeof targetPort === "string" && !/^\d+$/.test(targetPort);
    return !ports.some(({ name, containerPort }) =>
      named ? name === targetPort : containerPort === Number(targetPort),
    );
  });
}

function portDraft(one: ServiceFacts, stray: V1ServicePort, pods: readonly V1Pod[]): Draft {
  const target = String(stray.targetPort ?? stray.port);
  const ports = (pods[0]?.spec?.containers ?? []).flatMap(({ ports: list = [] }) =>
    list.map(({ name, containerPort }) =>
      name === undefined ? `${containerPort}` : `${name} (${containerPort})`,
    ),
  );
  return {
    code: "service_port_mismatch",
    title: `Service ${nameOf(one.service)} sends port ${stray.port} to ${oneLine(target, 60)}, which no container exposes`,
    meaning: `The containers of its pods have ${oneLine(ports.join(", "), 200)}: correct the service's targetPort.`,
    facts: [
      {
        subject: `service/${nameOf(one.service)}`,
        text: `port ${stray.port} → targetPort ${oneLine(target, 60)}`,
      },
      {
        subject: `pod/${nameOf(pods[0] as V1Pod)}`,
        text: `container ports: ${oneLine(ports.join(", "), 200)}`,
      },
    ],
    pods: pods.map(nameOf),
  };
}

function draftsOf(facts: Facts, one: ServiceFacts): Draft[] {
  const { service, ready } = one;
  const pods = livePods(facts);
  const chosen = pods.filter((pod) => selects(one, pod));
  if (Object.keys(service.spec?.selector ?? {}).length === 0) return [];
  const name = nameOf(service);
  if (chosen.length === 0 && (ready ?? 0) === 0 && pods.length > 0 && one.unready === 0)
    return [
      {
        code: "service_selector_mismatch",
        title: `Service ${name} selects no pod: its selector is ${selectorText(one)}`,
        meaning: "Correct the selector, or the labels of its pods.",
        facts: [
          addressFact(one),
          {
            subject: `pod/${nameOf(pods[0] as V1Pod)}`,
            text: `labels: ${oneLine(
              Object.entries(pods[0]?.metadata?.labels ?? {})
                .map(([key, value]) => `${key}=${value}`)
                .join(","),
              200,
            )}`,
          },
        ],
      },
    ];
  const [stray] = strayPorts(one, chosen);
  if (stray !== undefined) return [portDraft(one, stray, chosen)];
  if (ready !== 0 || chosen.some(isReady)) return [];
  return [
    {
      code: "service_without_endpoints",
      title: `Service ${name} has no ready address`,
      meaning:
        chosen.length === 0
          ? "It selects no existing pod."
          : `None of the ${podsText(chosen.map(nameOf))} that it selects is ready; connections to it fail.`,
      facts: [addressFact(one)],
      pods: chosen.map(nameOf),
    },
  ];
}

/** Finds services that select no pod, target a wrong port, or have no ready address. */
export const services: Analyser = (facts) => facts.services.flatMap((one) => draftsOf(facts, one));
