import type { V1Job } from "@kubernetes/client-node";
import { counted } from "../../../../lib/words.ts";
import { lastEnd, logFacts } from "./crashes.ts";
import { exitMeaning } from "./exit-codes.ts";
import type { Analyser, Draft, Fact, Facts } from "./facts.ts";
import { containersOf, eventFact, eventsOf, eventTime, nameOf, secondsSince, stateFact } from "./pods.ts";
import { oneLine } from "./text.ts";

function endsOf(facts: Facts, job: V1Job) {
  return facts.pods
    .filter(({ metadata }) => metadata?.labels?.["job-name"] === nameOf(job))
    .flatMap(containersOf)
    .filter((one) => (lastEnd(one)?.exitCode ?? 0) !== 0)
    .sort((a, b) => (lastEnd(b)?.finishedAt?.getTime() ?? 0) - (lastEnd(a)?.finishedAt?.getTime() ?? 0));
}

/** Returns a fact that names the cron job that made the job, if there is one. */
function madeBy(job: V1Job): Fact[] {
  const owner = job.metadata?.ownerReferences?.find((one) => one.controller && one.kind === "CronJob");
  return owner === undefined
    ? []
    : [{ subject: `job/${nameOf(job)}`, text: `is a run of cron job ${oneLine(owner.name, 253)}` }];
}

function failedDraft(facts: Facts, job: V1Job): Draft[] {
  const failed = job.status?.conditions?.find(({ type, status }) => type === "Failed" && status === "True");
  if (failed === undefined) return [];
  const late = failed.reason === "DeadlineExceeded";
  const ends = endsOf(facts, job);
  const [last] = ends;
  const code = last === undefined ? undefined : lastEnd(last)?.exitCode;
  const how = code === undefined ? "" : ` The last one ended with exit code ${code}, ${exitMeaning(code)}.`;
  const tries = counted(job.status?.failed ?? ends.length, "pod");
  return [
    {
      code: late ? "job_deadline_exceeded" : "job_failed",
      title: late
        ? `Job ${nameOf(job)} did not finish within its ${job.spec?.activeDeadlineSeconds ?? "?"} s`
        : `Job ${nameOf(job)} failed: ${tries} ended with an error`,
      meaning: `It is not retried (${oneLine(failed.reason ?? "no reason", 60)}).${how}`,
      facts: [
        {
          subject: `job/${nameOf(job)}`,
          text: `condition Failed (${oneLine(failed.reason ?? "", 60)}): ${oneLine(failed.message ?? "")}`,
          at: failed.lastTransitionTime,
        },
        ...madeBy(job),
        ...(last === undefined ? [] : [stateFact(last), ...logFacts(facts, [last])]),
      ],
      pods: ends.slice(0, 1).map(({ pod }) => nameOf(pod)),
    },
  ];
}

function suspendedDraft(job: V1Job): Draft[] {
  if (job.spec?.suspend !== true) return [];
  return [
    {
      code: "job_suspended",
      title: `Job ${nameOf(job)} is suspended`,
      meaning: "It starts no pods until it is resumed.",
      facts: [{ subject: `job/${nameOf(job)}`, text: "spec.suspend is true" }],
    },
  ];
}

/** Finds jobs that have failed or are suspended. */
export const jobs: Analyser = (facts) =>
  facts.jobs.flatMap((job) => [...failedDraft(facts, job), ...suspendedDraft(job)]);

const MISSED = [
  "MissSchedule",
  "FailedNeedsStart",
  "TooManyMissedTimes",
  "UnparseableSchedule",
  "InvalidSchedule",
];
const WITHIN_SECONDS = 7_200;

/** Finds a cron job that is suspended or has missed its schedule within two hours. */
export const cronJobs: Analyser = (facts) => {
  const { cron_job, now } = facts;
  if (cron_job === null) return [];
  const name = nameOf(cron_job);
  const subject = `cronjob/${name}`;
  const last = cron_job.status?.lastScheduleTime;
  const schedule = oneLine(cron_job.spec?.schedule ?? "?", 100);
  const text = `schedule ${schedule}, last started ${last === undefined ? "never" : new Date(last).toISOString()}`;
  if (cron_job.spec?.suspend === true)
    return [
      {
        code: "cron_job_suspended",
        title: `Cron job ${name} is suspended`,
        meaning: "It starts no jobs until it is resumed.",
        facts: [{ subject, text: `spec.suspend is true; ${text}` }],
      },
    ];
  const [missed] = eventsOf(facts, "cronjob", name, ...MISSED);
  if (missed === undefined || secondsSince(eventTime(missed), now) > WITHIN_SECONDS) return [];
  return [
    {
      code: "cron_job_missed",
      title: `Cron job ${name} missed its schedule (${schedule})`,
      meaning:
        "It was not started when it was due: look at its schedule, its startingDeadlineSeconds and the controller.",
      facts: [{ subject, text }, eventFact(missed)],
    },
  ];
};
