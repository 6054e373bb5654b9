import type { FindingCode } from "./codes.ts";
import type { Analyser, Draft, Fact, Facts } from "./facts.ts";
import { eventFact, eventsOf, eventTime, nameOf, secondsSince } from "./pods.ts";
import { oneLine } from "./text.ts";
import { shortOfReplicas } from "./workload.ts";

type Refusal = { said: string; fact: Fact };

const FRESH_SECONDS = 1_200;

/** Returns the API server's refusals to create pods: from conditions of replica sets, and from recent events. */
function refusals(facts: Facts): Refusal[] {
  const { revisions, workload, jobs, target } = facts;
  const ofRevisions = revisions
    .filter(({ failure }) => failure !== null)
    .map(({ name, failure }) => ({
      said: failure as string,
      fact: { subject: `replicaset/${name}`, text: `cannot create pods: ${oneLine(failure as string)}` },
    }));
  const makers = [
    ...revisions.map(({ name }) => ["replicaset", name] as const),
    ...(workload === null ? [] : [[workload.kind, nameOf(workload.object)] as const]),
    ...jobs.map((job) => ["job", nameOf(job)] as const),
    [target.kind, target.name] as const,
  ];
  const ofEvents = makers.flatMap(([kind, name]) =>
    eventsOf(facts, kind, name, "FailedCreate")
      .filter((event) => secondsSince(eventTime(event), facts.now) <= FRESH_SECONDS)
      .slice(0, 1)
      .map((event) => ({ said: event.message ?? "", fact: eventFact(event) })),
  );
  return [...ofRevisions, ...ofEvents];
}

type Kind = { code: FindingCode; title: (said: string) => string; meaning: string };

const amounts = (said: string) => /requested: [^\n]*/.exec(said)?.[0] ?? "";

const KINDS: readonly [RegExp, Kind][] = [
  [
    /exceeded quota/i,
    {
      code: "quota_exceeded",
      title: (said) =>
        `New pods exceed the quota ${/exceeded quota: ([\w.-]+)/i.exec(said)?.[1] ?? ""}: ${amounts(said)}`.replace(
          /: $/,
          "",
        ),
      meaning: "Raise the quota, lower the pods' requests, or free what others of the namespace use.",
    },
  ],
  [
    /failed quota: .*must specify/i,
    {
      code: "admission_refused",
      title: (said) => `New pods are refused: ${said}`,
      meaning: "The namespace has a quota, so every container must set requests and limits.",
    },
  ],
  [
    /(maximum|minimum) [\w.-]+ (usage|limit to request ratio)|limit to request ratio/i,
    {
      code: "limit_range_violated",
      title: (said) => `New pods break the namespace's limit range: ${said}`,
      meaning: "Change the container's resources, or the limit range.",
    },
  ],
  [
    /failed calling webhook|failed to call webhook/i,
    {
      code: "admission_webhook_failing",
      title: (said) => `An admission webhook does not answer: ${said}`,
      meaning: "No pod can be created until it answers again: look at the service behind the webhook.",
    },
  ],
  [
    /serviceaccount.* not found|looking up service account/i,
    {
      code: "service_account_missing",
      title: (said) => `The service account of the pods does not exist: ${said}`,
      meaning: "Create it, or correct its name in the pod template.",
    },
  ],
  [
    /denied the request|violates podsecurity|security (context constraint|polic)|forbidden|admission/i,
    {
      code: "admission_refused",
      title: (said) => `New pods are refused: ${said}`,
      meaning: "A policy of the cluster forbids this pod template: change the template or the policy.",
    },
  ],
];

const OTHER: Kind = {
  code: "pod_creation_failed",
  title: (said) => `New pods cannot be created: ${said}`,
  meaning: "The API server says why in the evidence.",
};

/** Returns the refusal's message without the pod's generated name at its beginning. */
const core = (said: string) =>
  oneLine(said.replace(/^.*?is forbidden: /s, "").replace(/^Error creating: /, ""), 220);

/** Finds pods that the API server refuses to create. */
export const admission: Analyser = (facts) => {
  // With all replicas ready and updated, an earlier refusal is over.
  const now = refusals(facts).filter(() => shortOfReplicas(facts) !== false);
  const drafts = now.map(({ said, fact }): Draft => {
    const { code, title, meaning } = KINDS.find(([pattern]) => pattern.test(said))?.[1] ?? OTHER;
    return { code, title: title(core(said)), meaning, facts: [fact, ...quotaFacts(facts, code)] };
  });
  return drafts.filter(({ code }, index) => drafts.findIndex((one) => one.code === code) === index);
};

function quotaFacts({ quotas }: Facts, code: FindingCode): Fact[] {
  if (code !== "quota_exceeded") return [];
  return quotas.slice(0, 3).map((quota) => {
    const hard = Object.entries(quota.status?.hard ?? quota.spec?.hard ?? {});
    const used = quota.status?.used ?? {};
    const text = hard.map(([name, amount]) => `${name} ${used[name] ?? "0"} of ${amount}`).join(", ");
    return { subject: `resourcequota/${nameOf(quota)}`, text: `used: ${oneLine(text)}` };
  });
}
