import { z } from "zod";
import { wireText } from "../contract/common.ts";
import { containerOfPod } from "./names.ts";

// Kubernetes quantities: 500m, 1.5, 2Gi.
const quantity = z
  .string()
  .regex(/^\d{1,15}(\.\d{1,9})?(m|k|M|G|T|P|Ki|Mi|Gi|Ti|Pi)?$/, "is not a quantity, as 500m or 2Gi");
export const amounts = z
  .strictObject({
    cpu: quantity.optional(),
    memory: quantity.optional(),
    "ephemeral-storage": quantity.optional(),
  })
  .refine((one) => Object.keys(one).length > 0, "names no resource");

/** An image, optionally with tag or digest: `registry.example:5000/team/web:1.2`. */
export const image = z
  .string()
  .max(500)
  .regex(/^[A-Za-z0-9][A-Za-z0-9._:-]*(\/[A-Za-z0-9._-]+)*(:[\w][\w.-]{0,127})?(@sha256:[0-9a-f]{64})?$/, {
    error: "is not the name of an image",
  });

// Key of a label or annotation: an optional DNS prefix and a name.
const key = z
  .string()
  .regex(
    /^([a-z0-9]([-.a-z0-9]{0,251}[a-z0-9])?\/)?[A-Za-z0-9]([-_.A-Za-z0-9]{0,61}[A-Za-z0-9])?$/,
    "is no key",
  );
const label = z
  .string()
  .regex(/^([A-Za-z0-9]([-_.A-Za-z0-9]{0,61}[A-Za-z0-9])?)?$/, "is not a label's value");
const count = z.number().int().min(0).max(1_000);
const seconds = z.number().int().min(0).max(86_400);

const containerPatch = z.strictObject({
  name: containerOfPod,
  image: image.optional(),
  resources: z.strictObject({ requests: amounts.optional(), limits: amounts.optional() }).optional(),
  env: z
    .array(
      z.strictObject({
        name: z.string().regex(/^[A-Za-z_]\w{0,252}$/, "is not the name of an environment variable"),
        value: wireText(4_096),
      }),
    )
    .max(50)
    .optional(),
});
const template = z.strictObject({
  metadata: z
    .strictObject({
      annotations: z.record(key, wireText(4_096)).optional(),
      labels: z.record(key, label).optional(),
    })
    .optional(),
  spec: z
    .strictObject({
      containers: z.array(containerPatch).min(1).max(20).optional(),
      terminationGracePeriodSeconds: seconds.optional(),
    })
    .optional(),
});

/**
 * What a strategic merge patch of a workload may change: containers are matched by name, and fields not named
 * stay. Nothing here gives a pod more rights, another service account or a volume.
 */
export const workloadPatch = z.strictObject({
  spec: z.strictObject({
    replicas: count.optional(),
    minReadySeconds: seconds.optional(),
    progressDeadlineSeconds: seconds.optional(),
    template: template.optional(),
  }),
});
/** What a patch of a HorizontalPodAutoscaler may change. */
export const autoscalerPatch = z.strictObject({
  spec: z.strictObject({ minReplicas: count.min(1).optional(), maxReplicas: count.min(1).optional() }),
});

/** Returns whether a patch changes anything: `{"spec":{"template":{}}}` does not. */
export function changesAnything(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return value !== undefined;
  // An entry with only a name identifies an object and changes nothing.
  return Object.entries(value).some(([field, inner]) => field !== "name" && changesAnything(inner));
}
