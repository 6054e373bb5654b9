import {
  ApiException,
  type CoreV1Api,
  type CoreV1Event,
  PatchStrategy,
  setHeaderOptions,
  type V1Pod,
} from "@kubernetes/client-node";
import { digest, timestamp } from "./life.ts";

/** `Normal` or `Warning`, as the kubelet and the scheduler write them. */
type Told = [type: string, reason: string, message: string];

export type Recorder = (pod: V1Pod, source: object, told: Told, container?: string) => Promise<void>;

/** Writes events about pods: what has been told already counts up, as the real one's do. */
export function createRecorder(core: CoreV1Api): Recorder {
  const counts = new Map<string, number>();
  const merge = setHeaderOptions("Content-Type", PatchStrategy.MergePatch);
  return async (pod, source, [type, reason, message], container) => {
    const { name = "", namespace = "", uid = "", resourceVersion = "" } = pod.metadata ?? {};
    const event = `${name}.${digest(uid, type, reason, message, container).slice(0, 16)}`;
    const count = (counts.get(event) ?? 0) + 1;
    const now = new Date();
    const fieldPath = container === undefined ? {} : { fieldPath: `spec.containers{${container}}` };
    const body: CoreV1Event = {
      metadata: { name: event, namespace },
      involvedObject: { kind: "Pod", apiVersion: "v1", name, namespace, uid, resourceVersion, ...fieldPath },
      type,
      reason,
      message,
      source,
      count,
      firstTimestamp: now,
      lastTimestamp: now,
    };
    const more = { count, lastTimestamp: timestamp() };
    try {
      if (count === 1) await core.createNamespacedEvent({ namespace, body });
      else await core.patchNamespacedEvent({ name: event, namespace, body: more }, merge);
    } catch (error) {
      // Its namespace ends, or it is there from an earlier life: nobody waits for an event.
      if (!(error instanceof ApiException && [403, 404, 409].includes(error.code))) throw error;
    }
    counts.set(event, count);
  };
}
