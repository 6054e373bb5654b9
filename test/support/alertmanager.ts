import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { freePort } from "./ports.ts";
import { alertmanagerBinary } from "./prepare.ts";
import { until } from "./until.ts";

export type Alertmanager = {
  url: string;
  /** Fires or resolves an alert, as Prometheus does. */
  alert(labels: Record<string, string>, times: { startsAt: string; endsAt?: string }): Promise<void>;
  pid: number;
  stop(): Promise<void>;
};

/**
 * Debian's real Alertmanager, with one receiver: the webhook at `receiver`, or one that goes nowhere.
 * `folder` keeps its state;
 * `http_config` is how it shows who it is.
 */
export async function startAlertmanager(
  folder: string,
  receiver: string | null,
  port?: number,
  http_config: object = {},
): Promise<Alertmanager> {
  const binary = alertmanagerBinary();
  if (binary === undefined) throw new Error("there is no Alertmanager: run `node test/support/prepare.ts`");
  await mkdir(folder, { recursive: true });
  const listen = `127.0.0.1:${port ?? (await freePort())}`;
  const config = {
    route: {
      receiver: "awoooi",
      group_by: ["alertname"],
      group_wait: "100ms",
      group_interval: "500ms",
      repeat_interval: "1s",
    },
    receivers: [
      receiver === null
        ? { name: "awoooi" }
        : { name: "awoooi", webhook_configs: [{ url: receiver, send_resolved: true, http_config }] },
    ],
  };
  // JSON is YAML.
  await writeFile(join(folder, "alertmanager.yml"), JSON.stringify(config));
  const child = spawn(
    binary,
    [
      `--config.file=${join(folder, "alertmanager.yml")}`,
      `--storage.path=${join(folder, "storage")}`,
      `--web.listen-address=${listen}`,
      "--cluster.listen-address=",
    ],
    { stdio: "ignore" },
  );
  const url = `http://${listen}`;
  await until(async () => (await fetch(`${url}/-/ready`)).ok, "Alertmanager to be ready");
  return {
    url,
    pid: child.pid as number,
    async alert(labels, times) {
      const response = await fetch(`${url}/api/v2/alerts`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify([{ labels, annotations: { summary: `${labels.alertname} fired` }, ...times }]),
      });
      if (!response.ok) throw new Error(`Alertmanager refused the alert: ${response.status}`);
    },
    async stop() {
      const exit = once(child, "exit");
      child.kill("SIGTERM");
      await exit;
    },
  };
}
