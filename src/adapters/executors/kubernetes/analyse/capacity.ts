import type { Analyser, Autoscaler, Condition, Draft } from "./facts.ts";
import { ago, oneLine } from "./text.ts";

const conditionOf = ({ conditions }: Autoscaler, type: string, status: string): Condition | undefined =>
  conditions.find((one) => one.type === type && one.status === status);

const subjectOf = ({ name }: Autoscaler) => `horizontalpodautoscaler/${name}`;

/** Finds autoscalers that are at their maximum or have no metrics to decide by. */
export const autoscalers: Analyser = (facts) =>
  facts.autoscalers.flatMap((one): Draft[] => {
    const blind = conditionOf(one, "ScalingActive", "False");
    const unable = conditionOf(one, "AbleToScale", "False");
    const trouble = blind ?? unable;
    const drafts: Draft[] = [];
    // ScalingDisabled: the target was scaled to 0 on purpose.
    if (trouble !== undefined && trouble.reason !== "ScalingDisabled")
      drafts.push({
        code: "autoscaler_without_metrics",
        title: `The autoscaler ${one.name} cannot determine the replicas needed`,
        meaning: "It does not scale: look at the metrics server, and at the requests of the pods.",
        facts: [
          {
            subject: subjectOf(one),
            text: `condition ${trouble.type} is False (${oneLine(trouble.reason ?? "", 60)}): ${oneLine(trouble.message ?? "")}`,
          },
        ],
      });
    const limited = conditionOf(one, "ScalingLimited", "True");
    if (
      one.current >= one.max &&
      (limited === undefined || limited.reason === "TooManyReplicas") &&
      one.max > one.min
    )
      drafts.push({
        code: "autoscaler_at_max",
        title: `The autoscaler ${one.name} is at its maximum of ${one.max} replicas`,
        meaning: "It adds no more, and reverts scaling beyond it: raise its maximum if more are needed.",
        facts: [
          {
            subject: subjectOf(one),
            text: `${one.current} of ${one.min} to ${one.max} replicas${limited ? `: ${oneLine(limited.message ?? "")}` : ""}`,
          },
        ],
      });
    return drafts;
  });

/** Finds disruption budgets that allow no eviction: a drain waits for them. */
export const budgets: Analyser = (facts) =>
  facts.budgets
    .filter(({ allowed, desired }) => allowed === 0 && desired > 0)
    .map(({ name, healthy, desired }) => ({
      code: "disruption_budget_blocks" as const,
      title: `The disruption budget ${name} allows no pod to be evicted`,
      meaning:
        "Draining a node with one of these pods waits until more of them are healthy or the budget is relaxed.",
      facts: [
        {
          subject: `poddisruptionbudget/${name}`,
          text: `${healthy} pods are healthy, and ${desired} must be`,
        },
      ] as const,
    }))
    .map(({ facts: [fact], ...rest }) => ({ ...rest, facts: [fact] }));

const SOON_SECONDS = 14 * 86_400;

/** Finds cert-manager certificates that have expired, expire within 14 days, or could not be issued. */
export const certificates: Analyser = ({ certificates: list, now }) =>
  list.flatMap((one): Draft[] => {
    const left = one.not_after === null ? null : (one.not_after.getTime() - now.getTime()) / 1000;
    const subject = `certificate/${one.name}`;
    const ends = one.not_after?.toISOString() ?? "unknown";
    const fact = {
      subject,
      text: `valid until ${ends}; ready: ${one.ready}; ${oneLine(one.message) || "no message"}`,
    };
    if (left !== null && left <= 0)
      return [
        {
          code: "certificate_expired",
          title: `The certificate ${one.name} expired ${ago(one.not_after as Date, now)} ago`,
          meaning: "Clients refuse it: see why cert-manager did not renew it.",
          facts: [fact],
        },
      ];
    if (!one.ready)
      return [
        {
          code: "certificate_not_ready",
          title: `The certificate ${one.name} could not be issued`,
          meaning: "See its certificate request, order and challenge.",
          facts: [fact],
        },
      ];
    if (left === null || left > SOON_SECONDS) return [];
    return [
      {
        code: "certificate_expiring",
        title: `The certificate ${one.name} expires in ${ago(now, one.not_after as Date)}`,
        meaning: "It should have been renewed by now: see why cert-manager did not renew it.",
        facts: [fact],
      },
    ];
  });
