import type {
  CoreV1Event,
  V1CronJob,
  V1DaemonSet,
  V1Deployment,
  V1Job,
  V1Node,
  V1PersistentVolumeClaim,
  V1Pod,
  V1PodTemplateSpec,
  V1ResourceQuota,
  V1Service,
  V1StatefulSet,
} from "@kubernetes/client-node";
import type { Finding } from "../../../../contract/evidence.ts";
import type { OperationTarget } from "../../../../contract/incident.ts";
import type { FindingCode } from "./codes.ts";

/** A workload, which runs and replaces pods, with its kind. */
export type Workload =
  | { kind: "deployment"; object: V1Deployment }
  | { kind: "statefulset"; object: V1StatefulSet }
  | { kind: "daemonset"; object: V1DaemonSet };

/** One revision of a workload: a replica set or a controller revision. */
export type Revision = {
  number: number;
  /** The value of its pods' label `pod-template-hash` or `controller-revision-hash`. */
  hash: string;
  /** The name of the replica set or controller revision. */
  name: string;
  /** When it became the newest revision; null if that cannot be told. */
  since: Date | null;
  template: V1PodTemplateSpec;
  /** Why its controller cannot create pods; null if it reports no failure. */
  failure: string | null;
};

/** A service with the numbers of its ready and unready addresses; `ready` is null if they could not be read. */
export type ServiceFacts = { service: V1Service; ready: number | null; unready: number };

/** A condition in an object's status, of any kind of object. */
export type Condition = {
  type: string;
  status: string;
  reason?: string | undefined;
  message?: string | undefined;
};

/** An autoscaler, of any version of the API. */
export type Autoscaler = {
  name: string;
  min: number;
  max: number;
  current: number;
  desired: number;
  conditions: readonly Condition[];
};
/** A pod disruption budget, of any version of the API. */
export type Budget = { name: string; allowed: number; healthy: number; desired: number };
/** A certificate of cert-manager. */
export type Certificate = { name: string; not_after: Date | null; ready: boolean; message: string };
/** The end of a container's log; `previous`: of the instance before the current one. */
export type LogTail = { pod: string; container: string; previous: boolean; text: string };

/** Everything that was read about a target; what could not be read is empty. It never has the content of a secret. */
export type Facts = {
  now: Date;
  target: OperationTarget;
  workload: Workload | null;
  /** Newest first. */
  revisions: readonly Revision[];
  pods: readonly V1Pod[];
  events: readonly CoreV1Event[];
  /** The nodes that the pods run on, or the target itself. */
  nodes: readonly V1Node[];
  services: readonly ServiceFacts[];
  claims: readonly V1PersistentVolumeClaim[];
  /** If the target is a volume claim: what mounts it, such as `deployment api`. */
  users: readonly string[];
  quotas: readonly V1ResourceQuota[];
  jobs: readonly V1Job[];
  cron_job: V1CronJob | null;
  autoscalers: readonly Autoscaler[];
  budgets: readonly Budget[];
  certificates: readonly Certificate[];
  logs: readonly LogTail[];
};

/** Returns facts about a target of which nothing was read yet. */
export function noFacts(now: Date, target: OperationTarget): Facts {
  return {
    now,
    target,
    workload: null,
    revisions: [],
    pods: [],
    events: [],
    nodes: [],
    services: [],
    claims: [],
    users: [],
    quotas: [],
    jobs: [],
    cron_job: null,
    autoscalers: [],
    budgets: [],
    certificates: [],
    logs: [],
  };
}

/** A fact that a finding is based on, before it gets an id as evidence. */
export type Fact = { subject: string; text: string; at?: Date | undefined };

/** A finding as an analyser returns it, with at least one fact. */
export type Draft = Pick<Finding, "title" | "meaning"> & {
  code: FindingCode;
  facts: [Fact, ...Fact[]];
  /** Names of the pods that it is about, if any. */
  pods?: readonly string[];
};

/** Looks for one kind of problem in the facts. Pure. */
export type Analyser = (facts: Facts) => Draft[];
