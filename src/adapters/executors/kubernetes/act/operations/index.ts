import type { KubernetesKind, KubernetesOperation } from "../kubernetes-operation.ts";
import { cordon, uncordon } from "./cordon.ts";
import { deletePod } from "./delete-pod.ts";
import { drain } from "./drain.ts";
import { patch } from "./patch.ts";
import { rolloutRestart } from "./rollout-restart.ts";
import { rolloutUndo } from "./rollout-undo.ts";
import { scale, scaleOut } from "./scale.ts";
import { setImage } from "./set-image.ts";
import { setResources } from "./set-resources.ts";

/** All operations that change a cluster. A new one needs its file and one line here. */
const ALL = [
  rolloutRestart,
  rolloutUndo,
  scaleOut,
  scale,
  deletePod,
  cordon,
  uncordon,
  drain,
  setImage,
  setResources,
  patch,
] as const;

/** The operations by kind; each receives operations of its own kind only. */
export const CHANGES: ReadonlyMap<string, KubernetesOperation> = new Map(
  ALL.map((one): [KubernetesKind, KubernetesOperation] => [one.kind, one as unknown as KubernetesOperation]),
);
