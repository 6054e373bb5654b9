import type { V1Deployment } from "@kubernetes/client-node";

/** A deployment of pods with one container `main` and the label `app`, for a rollout of seconds. */
export function deploymentOf(name: string, image: string, replicas = 2): V1Deployment {
  const labels = { app: name };
  return {
    metadata: { name, labels },
    spec: {
      replicas,
      progressDeadlineSeconds: 2,
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers: [{ name: "main", image }] } },
    },
  };
}
