import { withArticle } from "../../lib/words.ts";
import type { OperationKind } from "../operation.ts";
import type { Context } from "./context.ts";
import { refuse, shown } from "./refused.ts";
import { change, reads, type Verdict } from "./verdict.ts";

/** Action names that stand for one kind of operation on the target of the context. */
const ACTIONS: ReadonlyMap<string, { kind: OperationKind; on: readonly string[] }> = new Map(
  Object.entries({
    "kubernetes.rollout_restart deployment": "RESTART_DEPLOYMENT",
    "kubernetes.rollout_restart statefulset": "RESTART_STATEFULSET",
    "kubernetes.rollout_restart daemonset": "RESTART_DAEMONSET",
    "kubernetes.rollout_restart deployment|statefulset|daemonset":
      "ROLLOUT_RESTART RESTART_WORKLOAD KUBERNETES_ROLLOUT_RESTART",
    "kubernetes.rollout_undo deployment": "ROLLBACK_DEPLOYMENT",
    "kubernetes.rollout_undo deployment|statefulset|daemonset":
      "ROLLBACK ROLLOUT_UNDO KUBERNETES_ROLLOUT_UNDO",
    "kubernetes.delete_pod pod": "DELETE_POD RESTART_POD KUBERNETES_DELETE_POD",
    "kubernetes.cordon node": "CORDON_NODE KUBERNETES_CORDON",
    "kubernetes.uncordon node": "UNCORDON_NODE KUBERNETES_UNCORDON",
    "process.restart process": "RESTART_PROCESS PROCESS_RESTART",
    "host.docker_restart container": "RESTART_CONTAINER DOCKER_RESTART SSH_DOCKER_RESTART",
    "host.docker_compose_restart compose_service": "DOCKER_COMPOSE_RESTART SSH_DOCKER_COMPOSE_RESTART",
    "host.systemctl_restart unit": "RESTART_SERVICE SYSTEMCTL_RESTART SSH_SYSTEMCTL_RESTART",
    "host.clear_docker_logs container|host": "CLEAR_DOCKER_LOGS SSH_CLEAR_DOCKER_LOGS",
    "host.renew_certificate host": "RENEW_SSL RENEW_CERTIFICATE SSH_RENEW_SSL",
    "host.reload_nginx host": "RELOAD_NGINX SSH_RELOAD_NGINX",
    "host.diagnose host": "DIAGNOSE DIAGNOSE_HOST SSH_DIAGNOSE",
  }).flatMap(([what, names]) => {
    const [kind = "", on = ""] = what.split(" ");
    return names
      .split(" ")
      .map((name) => [name, { kind: kind as OperationKind, on: on.split("|") }] as const);
  }),
);
/** Action names that are refused because they lack a parameter, with the missing one. */
const NEEDS_MORE: ReadonlyMap<string, string> = new Map(
  Object.entries({
    SCALE: "to how many replicas",
    SCALE_UP: "to how many replicas",
    SCALE_OUT: "to how many replicas",
    SCALE_DOWN: "to how many replicas",
    SCALE_DEPLOYMENT: "to how many replicas",
    DRAIN_NODE: "what becomes of daemon sets and local data",
    SET_IMAGE: "which image",
    SET_RESOURCES: "which resources",
    INCREASE_MEMORY: "to how much",
    INCREASE_CPU: "to how much",
    PATCH: "with what",
    DOCKER_PRUNE: "of what",
    VACUUM_JOURNAL: "down to how much",
    SSH_VACUUM_JOURNAL: "down to how much",
    SSH_DOCKER_PRUNE: "of what",
  }),
);

// Matches only a whole word: `no-action-7`, `noaction.prod` and `my_no_action` are other names. Han, kana and hangul
// may touch the word without a blank. If it is really a name, doing nothing is harmless.
const LETTER = String.raw`(?!\p{sc=Han}|\p{sc=Hira}|\p{sc=Kana}|\p{sc=Hang})[\p{L}\p{M}\p{N}_]`;
const NO_ACTION = new RegExp(
  String.raw`(?<!${LETTER}|${LETTER}[.-]|-)NO[_-]?ACTION(?!${LETTER}|[.-]+${LETTER})|\(未設\)|（未設）`,
  "iu",
);
const BEGINS = /^(OBSERVE|INVESTIGATE)/i;

/** Returns the no-operation for a text that asks for none, whatever else it says; null for any other text. */
export function noAction(text: string, context: Context): Verdict | null {
  const target = context.target ?? null;
  const [, word] = BEGINS.exec(text) ?? [];
  if (word !== undefined) {
    const kind = word.toUpperCase() === "OBSERVE" ? "none" : "investigate";
    return reads(`begins with ${word}: nothing is changed`, { kind, target, parameters: {} });
  }
  const said = text === "" ? "" : NO_ACTION.exec(text)?.[0];
  if (said === undefined) return null;
  const reason = said === "" ? "nothing is to be done" : `says ${said}: nothing is done`;
  return reads(reason, { kind: "none", target, parameters: {} });
}

/** Returns the operation for a name such as `RESTART_DEPLOYMENT` on the context's target; null for any other text. */
export function namedAction(text: string, { target }: Context): Verdict | null {
  if (!/^[A-Z][A-Z0-9]*(_[A-Z0-9]+)*$/.test(text)) return null;
  const missing = NEEDS_MORE.get(text);
  if (missing !== undefined) refuse(`${text} does not say ${missing}`);
  const action = ACTIONS.get(text);
  if (action === undefined) return refuse(`${shown(text)} is not the name of an operation`);
  const { kind, on } = action;
  if (target === undefined) refuse(`${text} has no target here: name it in a command`);
  if (!on.includes(target.kind))
    refuse(`${text} is about ${withArticle(on.join(" or "))}, and the target is ${withArticle(target.kind)}`);
  const candidate = { kind, target, parameters: {} };
  return kind === "host.diagnose"
    ? reads("only reads", candidate)
    : change(candidate, `${text} changes the target`);
}
