import { authorise } from "../access/index.ts";
import { record } from "../audit/index.ts";
import type { Risk, Severity } from "../contract/common.ts";
import type { OperationTarget } from "../contract/incident.ts";
import type { Ctx } from "../db/ctx.ts";
import {
  effectsOf,
  type IncidentRow,
  mayBeSame,
  note,
  SERVICES,
  touchedBy,
  touchSame,
  workloadNamesOf,
  worseSeverity,
} from "../incident/index.ts";
import { type ReportedFacts, saidOfIncidents } from "../intake/index.ts";
import { addSeconds } from "../lib/clock.ts";
import { changesSomething, type Operation } from "../operation/index.ts";
import { approverLapse, findPlaybook, hashOf, type PlaybookRow } from "../playbook/index.ts";
import { type Blocked, evaluateGuardrails, type GuardrailFacts } from "./guardrails.ts";
import { evaluatePolicy } from "./policy.ts";
import {
  repairOf,
  repairOfMachines,
  repairOfOwners,
  repairOfTargets,
  type ServiceRegistry,
} from "./service-registry.ts";
import { automaticRepairs, earlierTries, setVerdict } from "./store.ts";

/** The terms on which playbooks may run by themselves, without an approver. */
export type AutoTerms = Pick<GuardrailFacts, "mode" | "terms"> & {
  services: ServiceRegistry | null;
  /** From this many automatic repairs of one target within 30 days on, people decide. */
  repeats: number;
};

/** A plan that would run by itself, or is about to. */
export type Candidate = {
  incident: IncidentRow;
  approval_id: string;
  operations: readonly Operation[];
  risk_level: Risk;
  playbook_id: string;
  /** Hash of the playbook version that the plan was made from. */
  playbook_hash: string | undefined;
  /** Owners of the targets, and what else is affected with them, as the systems report them. */
  belongs_to: readonly string[];
  /** Whether executors are configured for all operations. */
  executable: boolean;
} & Pick<GuardrailFacts, "stopped" | "failed_checks">;

const MONTH_SECONDS = 30 * 86_400;
// How long a rejection or a failed automatic repair blocks further ones of the target, whatever its next alert is called.
const EARLIER_SECONDS = 86_400;

/** Returns the target with the most automatic repairs within 30 days, with their number; null without targets. */
async function repeatsOf(
  ctx: Ctx,
  targets: readonly OperationTarget[],
  belongs_to: readonly string[],
  most: number,
) {
  const since = addSeconds(ctx.clock.now(), -MONTH_SECONDS);
  const repairs = await automaticRepairs(ctx, since);
  const counts = targets.map((target) => {
    const touched = touchedBy(target, belongs_to);
    const same = repairs.filter((one) => touchSame(one.touched, touched));
    return { target: target.name, times: same.reduce((sum, one) => sum + one.times, 0), most };
  });
  return counts.sort((one, other) => other.times - one.times)[0] ?? null;
}

const fold = (name: string) => name.trim().toLowerCase();

/** Returns the operations' targets that are the incident's own but none of the services that the playbook is for. */
function targetsOutsidePlaybook(
  playbook: PlaybookRow | undefined,
  own: OperationTarget | null,
  all: OperationTarget[],
) {
  const services = playbook?.pattern.services ?? [];
  const names = new Set(services.map(fold));
  const theirs = own === null ? [] : all.filter((one) => mayBeSame(one, own));
  const targets = theirs.filter((one) => !workloadNamesOf(one).some((name) => names.has(fold(name))));
  return { services, targets: services.length === 0 ? [] : [...new Set(targets.map((one) => one.name))] };
}

const ON_MACHINES = ["process", "unit", "container", "compose_service", "host"];

/** Returns the service registry's verdict on each target, affected service, owner and machine of a plan. */
function registered(
  services: ServiceRegistry | null,
  { incident, belongs_to }: Candidate,
  { affected, machines, addresses }: Record<"affected" | "machines" | "addresses", readonly string[]>,
  targets: readonly OperationTarget[],
) {
  if (services === null) return [];
  const { operation_target: own } = incident;
  const all = [
    ...repairOfTargets(services, own === null ? targets : [...targets, own]),
    ...repairOf(services, affected, own),
    // Owners are judged even when a label names them too: the same text may mean something else as a service.
    ...repairOfOwners(services, belongs_to),
  ];
  // Without any name to look up, the registry's default applies.
  const known = all.length > 0 ? all : [{ service: "an unnamed service", repair: services.default }];
  // A workload on Kubernetes may run on any machine, so machines named by its alerts count only if they are listed.
  const on_machine = targets.some((one) => ON_MACHINES.includes(one.kind));
  return [
    ...known,
    ...(on_machine ? repairOf(services, machines) : repairOfMachines(services, machines)),
    ...repairOfMachines(services, addresses),
  ];
}

/**
 * Returns what blocks a playbook from running by itself now: called when its plan is prepared and again at each act. All
 * state is read in the transaction of `ctx`. What senders wrote can only restrict it: the worst of all alerts of the
 * incident and its effects counts, and the targets are judged whatever the alerts call them.
 */
export async function mayAutoRepair(
  ctx: Ctx,
  candidate: Candidate,
  { mode, terms, services, repeats }: AutoTerms,
): Promise<{ blocked_by: Blocked[]; cold_start: boolean }> {
  const system = ["pipeline", "sweep"] as const;
  authorise(ctx.actor, "evaluate automatic repair", { people: "none", system });
  const { incident, operations, approval_id, playbook_id, playbook_hash, executable, belongs_to, ...known } =
    candidate;
  const effects = await effectsOf(ctx, [incident.incident_id]);
  const all = [incident, ...effects];
  const ids = all.map((one) => one.incident_id);
  const said = await saidOfIncidents(ctx, ids);
  const severities: Severity[] = [...all, ...said].flatMap((one) => one.severity ?? []);
  const every = <T>(own: readonly T[], of: (one: ReportedFacts) => readonly T[]) => [
    ...new Set([...own, ...said.flatMap(of)]),
  ];
  const categories = every(
    all.map((one) => one.alert_category),
    (one) => one.categories,
  );
  const types = every([incident.notification_type], (one) => one.notification_types);
  const services_said = every(
    all.flatMap((one) => one.affected_services),
    (one) => one.services,
  );
  const named = {
    affected: services_said,
    machines: every([], (one) => one.machines),
    addresses: every([], (one) => one.addresses),
  };
  const targets = operations.filter(changesSomething).flatMap(({ target }) => target ?? []);
  const touched = targets.flatMap((target) => touchedBy(target, belongs_to));
  const about = { mode, executable, playbook: true };
  const found = await findPlaybook(ctx, playbook_id);
  const since = addSeconds(ctx.clock.now(), -EARLIER_SECONDS);
  return evaluateGuardrails({
    ...known,
    mode,
    policy: operations.flatMap((operation) =>
      categories.flatMap((category) =>
        types.map((notification_type) =>
          evaluatePolicy({ ...about, category, notification_type, operation }),
        ),
      ),
    ),
    terms,
    operations,
    severity: severities.reduce(worseSeverity, incident.severity),
    categories,
    escalation_level: Math.max(...all.map((one) => one.escalation_level)),
    repeats: await repeatsOf(ctx, targets, belongs_to, repeats),
    labels: said.filter((one) => one.firing).flatMap((one) => one.auto_repair),
    incomplete: said.some((one) => one.incomplete),
    services: registered(services, candidate, named, targets),
    more_services: services !== null && all.some((one) => one.affected_services.length >= SERVICES),
    strangers: targetsOutsidePlaybook(found, incident.operation_target, targets),
    approver_lapsed: found?.status === "approved" ? await approverLapse(ctx, found) : null,
    playbook: found !== undefined && hashOf(found) === playbook_hash ? found : null,
    earlier: await earlierTries(ctx, { incident_ids: ids, but: approval_id, since }, (tried) =>
      touchSame(touched, tried),
    ),
  });
}

/** Changes a decision's verdict to `ask`, with what blocks it from running by itself, and records the reasons. */
export async function blockDecision(
  ctx: Ctx,
  decision: { token: string; incident_id: string },
  blocked_by: readonly Blocked[],
): Promise<void> {
  const system = ["pipeline", "sweep"] as const;
  authorise(ctx.actor, "block automatic repair", { people: "none", system });
  const { token, incident_id } = decision;
  const reasons = blocked_by.map((one) => one.reason).join("; ");
  const reason = `it does not run automatically (${reasons}): people decide`;
  await setVerdict(ctx, token, { outcome: "ask", rule: "guardrails", reason, blocked_by: [...blocked_by] });
  const names = blocked_by.map((one) => one.guardrail).join(", ");
  const text = `Not repaired automatically (${names}): ${reasons}`;
  const data = { token, blocked_by };
  note(ctx, { incident_id, kind: "decision", text, data, event: "GUARDRAIL_BLOCKED" });
  record(ctx, { action: "decision.blocked", subject: token, data: { incident_id, blocked_by } });
}
