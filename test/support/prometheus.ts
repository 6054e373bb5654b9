import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { freePort } from "./ports.ts";
import { prometheusBinary } from "./prepare.ts";
import { until } from "./until.ts";

export type Rule = { alert: string; expr: string; labels: Record<string, string> };
export type Prometheus = {
  /** Puts other rules in force. */
  reload(rules: readonly Rule[]): Promise<void>;
  /** Sends nothing from now on, as if it were cut off; resolves to what lets it go on. */
  suspend(): () => void;
  stop(): Promise<void>;
};

/**
 * Debian's real Prometheus, which judges `rules` each second and sends what fires to `alertmanager`, each
 * second again: what is not sent for 4 s is over. `folder` keeps its state.
 */
export async function startPrometheus(
  folder: string,
  alertmanager: object,
  rules: readonly Rule[],
): Promise<Prometheus> {
  const binary = prometheusBinary();
  if (binary === undefined) throw new Error("there is no Prometheus: run `node test/support/prepare.ts`");
  await mkdir(folder, { recursive: true });
  const write = (list: readonly Rule[]) =>
    writeFile(join(folder, "rules.yml"), JSON.stringify({ groups: [{ name: "test", rules: list }] }));
  const config = {
    global: { evaluation_interval: "1s" },
    rule_files: ["rules.yml"],
    alerting: { alertmanagers: [alertmanager] },
  };
  await write(rules);
  // JSON is YAML.
  await writeFile(join(folder, "prometheus.yml"), JSON.stringify(config));
  const listen = `127.0.0.1:${await freePort()}`;
  const child = spawn(
    binary,
    [
      `--config.file=${join(folder, "prometheus.yml")}`,
      `--storage.tsdb.path=${join(folder, "data")}`,
      `--web.listen-address=${listen}`,
      "--web.enable-lifecycle",
      "--rules.alert.resend-delay=1s",
    ],
    { stdio: "ignore" },
  );
  await until(async () => (await fetch(`http://${listen}/-/ready`)).ok, "Prometheus to be ready");
  return {
    async reload(list) {
      await write(list);
      const response = await fetch(`http://${listen}/-/reload`, { method: "POST" });
      if (!response.ok) throw new Error(`Prometheus did not reload: ${await response.text()}`);
    },
    suspend() {
      child.kill("SIGSTOP");
      return () => void child.kill("SIGCONT");
    },
    async stop() {
      const exit = once(child, "exit");
      child.kill("SIGTERM");
      await exit;
    },
  };
}
