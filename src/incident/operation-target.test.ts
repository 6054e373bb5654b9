import { describe, expect, it } from "vitest";
import { operationTarget } from "./operation-target.ts";

const known = {
  processes: ["shop"],
  isHere: (host: string) => ["here", "10.0.0.9"].includes(host),
  hosts: [
    { name: "web1", names: ["web1", "web", "10.0.0.5"] },
    { name: "db1", names: ["db1", "fd00::1"] },
  ],
};
const of = (labels: Record<string, string>, more: { target_resource?: string } = {}) =>
  operationTarget(
    { labels, alert_name: labels.alertname ?? "Trouble", target_resource: "", ...more },
    [],
    known,
  );

const WEB = { kind: "host", name: "web1" };

describe("what an alert is about", () => {
  it.each([
    ["its address with a port", { instance: "10.0.0.5:9100" }, WEB],
    ["its name", { instance: "web1" }, WEB],
    ["an alias, in any case", { instance: "WEB:9100" }, WEB],
    ["an address of version 6", { instance: "[fd00::1]:9100" }, { kind: "host", name: "db1" }],
    ["a URL", { instance: "https://web1:8443/health" }, WEB],
    ["other labels", { nodename: "web1", job: "node" }, WEB],
    ["the first label that is known", { instance: "exporter:9100", host: "web1" }, WEB],
  ])("is a configured host by %s", (_what, labels, target) => {
    expect(of(labels as Record<string, string>)).toEqual(target);
  });

  it("is a unit on it, as node_exporter and systemd_exporter say", () => {
    const unit = { kind: "unit", name: "nginx.service", host: "web1" };
    expect(of({ instance: "web1:9100", name: "nginx.service", state: "failed" })).toEqual(unit);
    expect(of({ instance: "web1:9100", unit: "nginx.service" })).toEqual(unit);
    expect(of({ instance: "web1:9100", service: "nginx.service" })).toEqual(unit);
    // A service that is no unit is whatever people call a service.
    expect(of({ instance: "web1:9100", service: "checkout" })).toEqual(WEB);
  });

  it("is a container on it, as cAdvisor says", () => {
    const container = { kind: "container", name: "shop-web", host: "web1" };
    expect(of({ instance: "web1:8080", job: "cadvisor", name: "shop-web" })).toEqual(container);
    expect(of({ instance: "10.0.0.5:8080", name: "shop-web", image: "shop:1" })).toEqual(container);
    expect(of({ host: "web", container_name: "shop-web" })).toEqual(container);
    expect(of({ host: "web", alertname: "ContainerDown", name: "shop-web" })).toEqual(container);
    // Without a word of containers a name is anything.
    expect(of({ host: "web", alertname: "QueueFull", name: "jobs" })).toEqual(WEB);
    // Of Kubernetes, whose node the host is.
    expect(of({ node: "web1", namespace: "prod", container: "api" })).toEqual(WEB);
  });

  it("is what is closer, where there is one", () => {
    const labels = { instance: "web1:9100", namespace: "prod", deployment: "api" };
    expect(of(labels)).toEqual({ kind: "deployment", name: "api", namespace: "prod" });
    expect(of({ instance: "web1:9100", process: "shop" })).toEqual({ kind: "process", name: "shop" });
  });

  it.each([
    [{ service: "shop" }],
    [{ service: "shop", instance: "localhost:8080" }],
    [{ app: "shop", instance: "127.0.0.1:8080", host: "here" }],
    [{ job: "shop", instance: "[::1]:8080" }],
    [{ component: "shop", instance: "http://10.0.0.9:8080/metrics" }],
    [{ process: "shop", namespace: "prod", cluster: "eu", instance: "10.9.9.9:8080" }],
  ])("is the process of this machine by %j", (labels) => {
    expect(of(labels as Record<string, string>)).toEqual({ kind: "process", name: "shop" });
  });

  it.each([
    [{ service: "shop", namespace: "prod" }],
    [{ service: "shop", cluster: "eu" }],
    [{ app: "shop", host: "box-9" }],
    [{ service: "shop", instance: "10.9.9.9:8080" }],
    [{ job: "shop", server: "other" }],
    [{ service: "shop", node: "k8s-3" }],
    [{ service: "shop", container: "shop" }],
    [{ component: "shop", instance: "web1:9100" }],
  ])("is not the process of this machine by %j, whatever the name", (labels) => {
    expect(of(labels as Record<string, string>)).not.toMatchObject({ kind: "process" });
    expect(of(labels as Record<string, string>, { target_resource: "shop" })).not.toMatchObject({
      kind: "process",
    });
  });

  it("is a host by its label where none is configured", () => {
    expect(of({ instance: "elsewhere:9100", name: "nginx.service" })).toEqual({
      kind: "host",
      name: "elsewhere",
    });
    expect(of({}, { target_resource: "web" })).toEqual(WEB);
  });

  it("is a node where a configured cluster may know it, and else the host of that name", () => {
    const labels = { node: "web1", alertname: "KubeNodeNotReady", cluster: "east" };
    const looksAt = ({ cluster }: { cluster?: string | undefined }) => cluster === "east";
    const target = (one: Record<string, string>) =>
      operationTarget({ labels: one, alert_name: "KubeNodeNotReady", target_resource: "web1" }, [], {
        ...known,
        looksAt,
      });
    expect(target(labels)).toEqual({ kind: "node", name: "web1", cluster: "east" });
    expect(target({ ...labels, cluster: "west" })).toEqual(WEB);
    // By its address alone it is a machine.
    expect(target({ instance: "10.0.0.5:9100", job: "node-exporter", cluster: "east" })).toEqual(WEB);
  });

  it.each([
    [{ job_name: "renovate-29057640" }, { kind: "job", name: "renovate-29057640" }],
    [{ cronjob: "renovate" }, { kind: "cronjob", name: "renovate" }],
    [{ horizontalpodautoscaler: "api" }, { kind: "horizontalpodautoscaler", name: "api" }],
    [{ persistentvolumeclaim: "data-0" }, { kind: "persistentvolumeclaim", name: "data-0" }],
    [
      { exported_pod: "api-6d4cf56db6-x2x9z", pod: "otel-collector-0" },
      { kind: "deployment", name: "api" },
    ],
    [{ replicaset: "api-6d4cf56db6" }, { kind: "deployment", name: "api" }],
    [
      { component: "checkout", deployment: "api" },
      { kind: "deployment", name: "api" },
    ],
    [{ service_name: "checkout" }, { kind: "unknown", name: "checkout" }],
    [
      { service: "checkout", instance: "10.42.0.7:8080" },
      { kind: "unknown", name: "checkout" },
    ],
  ])("is what the labels %j name, in the namespace and cluster that are said", (labels, target) => {
    expect(of(labels as Record<string, string>)).toEqual(target);
    const place = { namespace: "shop", cluster: "east" };
    expect(
      of({
        ...(labels as Record<string, string>),
        ["exported_pod" in labels ? "exported_namespace" : "namespace"]: "shop",
        cluster: "east",
      }),
    ).toMatchObject({
      ...target,
      ...place,
    });
  });
});
