import type { V1Container, V1Pod } from "@kubernetes/client-node";

/** What becomes of a container. A message is the one that a person would read. */
export type Behaviour =
  | { kind: "runs" }
  /** Ends well; the pod with it, unless it is to be restarted. */
  | { kind: "completes" }
  /** Ends badly again and again: with 1 and `Error`, or with 137 `OOMKilled`. */
  | { kind: "crashes"; exitCode?: number; reason?: string; message?: string }
  | { kind: "image_pull"; message?: string }
  | { kind: "never_ready"; message?: string }
  /** Stays `ContainerCreating`. */
  | { kind: "hangs" }
  /** No node takes its pod. */
  | { kind: "unschedulable"; message?: string };

/** What a pod does, given for each of its containers; its timestamps are texts, as on the wire. */
export type BehaviourOf = (pod: V1Pod, container: V1Container) => Behaviour | Behaviour["kind"];

const BY_IMAGE: [RegExp, Behaviour][] = [
  [/(^|\/)bad[^/]*$|:missing$/, { kind: "image_pull" }],
  [/(^|\/)crash[^/]*$/, { kind: "crashes" }],
  [/(^|\/)oom[^/]*$/, { kind: "crashes", exitCode: 137, reason: "OOMKilled" }],
  [/(^|\/)slow[^/]*$/, { kind: "never_ready" }],
  [/(^|\/)once[^/]*$/, { kind: "completes" }],
];

/** As the image is named: `bad…` or `…:missing`, `crash…`, `oom…`, `slow…`, `once…`; every other one runs. */
export const behaviourByImage: BehaviourOf = (_pod, { image = "" }) =>
  BY_IMAGE.find(([pattern]) => pattern.test(image))?.[1] ?? "runs";

/** The same in its long form. */
export const asBehaviour = (given: Behaviour | Behaviour["kind"]): Behaviour =>
  typeof given === "string" ? { kind: given } : given;
