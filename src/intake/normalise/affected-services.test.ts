import { describe, expect, it } from "vitest";
import { affectedServices } from "./affected-services.ts";

const of = (labels: Record<string, string>, target_resource = "target", alert_name = "Alert") =>
  affectedServices({ labels, target_resource, alert_name });

describe("affected services", () => {
  it("come from the first label that says so", () => {
    const labels = { component: "checkout", job: "shop", pod: "web-6d4cf56db6-x2x9z" };
    expect(of(labels)).toEqual(["checkout"]);
    expect(of({ ...labels, component: "" })).toEqual(["shop"]);
    expect(of({ pod: labels.pod })).toEqual(["web"]);
    expect(of({})).toEqual(["target"]);
  });

  it.each([
    "node",
    "node-exporter",
    "node_exporter",
    "Node-Exporter",
    "pushgateway",
    "push-gateway",
    "blackbox",
    "prometheus",
    "alertmanager",
    "cadvisor",
    "c_advisor",
    "kube-state-metrics",
    "kube_state_metrics",
    "mysqld-exporter",
    "blackbox_exporter",
  ])("are not the job %s, which watches", (job) => {
    expect(of({ job, pod: "web-0" })).toEqual(["web"]);
    expect(of({ job })).toEqual(["target"]);
  });

  it.each(["nodejs", "exporter-of-goods", "prometheus-shop", "my-node"])("may be the job %s", (job) => {
    expect(of({ job })).toEqual([job]);
  });

  it("are none where the target is an address, the alert's own name, or begins with a digit", () => {
    expect(of({}, "10.0.0.1:9100")).toEqual([]);
    expect(of({}, "db:5432")).toEqual([]);
    expect(of({}, "Alert")).toEqual([]);
    expect(of({}, "10.0.0.1")).toEqual([]);
    expect(of({ job: "node" }, "7zip")).toEqual([]);
  });
});
