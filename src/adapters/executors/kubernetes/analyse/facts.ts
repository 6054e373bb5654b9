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

/** What runs pods and replaces them, by its kind. */
export type Workload =
  | { kind: "deployment"; object: V1Deployment }
  | { kind: "statefulset"; object: V1StatefulSet }
  | { kind: "daemonset"; object: V1DaemonSet };

/** One revision of a workload: a replica set or a controller revision. */
export type Revision = {
  number: number;
  /** What its pods carry in `pod-template-hash` or `controller-revision-hash`. */
  hash: string;
  /** The replica set's or controller revision's own name. */
  name: string;
  /** Since when it is the newest, as far as that can be told. */
  since: Date | null;
  template: V1PodTemplateSpec;
  /** Why its controller cannot create pods, where it says so. */
  failure: string | null;
};

/** A service, and how many addresses of it are ready; null where that could not be read. */
export type ServiceFacts = { service: V1Service; ready: number | null; unready: number };

/** A condition, as every kind of object has them. */
export type Condition = {
  type: string;
  status: string;
  reason?: string | undefined;
  message?: string | undefined;
};

/** Of any version of the API. */
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
/** The end of a container's log; `previous`: of the one before the present. */
export type LogTail = { pod: string; container: string; previous: boolean; text: string };

/** Everything that was read of a target; what could not be read is empty. Never the content of a secret. */
export type Facts = {
  now: Date;
  target: OperationTarget;
  workload: Workload | null;
  /** Newest first. */
  revisions: readonly Revision[];
  pods: readonly V1Pod[];
  events: readonly CoreV1Event[];
  /** Those that the pods run on, or the target itself. */
  nodes: readonly V1Node[];
  services: readonly ServiceFacts[];
  claims: readonly V1PersistentVolumeClaim[];
  /** What mounts the claim that is the target, as `deployment api`. */
  users: readonly string[];
  quotas: readonly V1ResourceQuota[];
  jobs: readonly V1Job[];
  cron_job: V1CronJob | null;
  autoscalers: readonly Autoscaler[];
  budgets: readonly Budget[];
  certificates: readonly Certificate[];
  logs: readonly LogTail[];
};

/** Facts of which nothing was read yet. */
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

/** One fact that a finding rests on, before it has an id. */
export type Fact = { subject: string; text: string; at?: Date | undefined };

/** A finding as an analyser makes it; never without a fact. */
export type Draft = Pick<Finding, "title" | "meaning"> & {
  code: FindingCode;
  facts: [Fact, ...Fact[]];
  /** Names of the pods that it is about, where it is about pods. */
  pods?: readonly string[];
};

/** One kind of trouble, looked for in the facts. Pure. */
export type Analyser = (facts: Facts) => Draft[];
