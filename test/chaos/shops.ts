import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { localProcess } from "../../src/adapters/executors/local-process/index.ts";
import { silentLog } from "../../src/lib/log.ts";
import { freePort } from "../support/ports.ts";
import { until } from "../support/until.ts";

const SERVICE = join(import.meta.dirname, "../../demo/service.ts");

type ProcessSetting = {
  name: string;
  argv: string[];
  env: Record<string, string>;
  probe: { url: string; timeout_ms: number };
};

/** Services that AWOOOI supervises, one for each journey. */
export class Shops {
  readonly startsFile: string;
  readonly #stateDir: string;
  #settings: ProcessSetting[] = [];

  constructor(folder: string, dataDir: string) {
    this.startsFile = join(folder, "starts.jsonl");
    this.#stateDir = join(dataDir, "processes");
  }

  get names(): string[] {
    return this.#settings.map((one) => one.name);
  }

  /** What goes into the configuration under `processes`. */
  async configure(count: number): Promise<readonly ProcessSetting[]> {
    for (let index = 0; index < count; index += 1) {
      const port = await freePort();
      this.#settings.push({
        name: `shop-${index}`,
        argv: [process.execPath, SERVICE],
        env: { PORT: String(port), DEMO_STARTS_FILE: this.startsFile },
        probe: { url: `http://127.0.0.1:${port}/healthz`, timeout_ms: 300 },
      });
    }
    return this.#settings;
  }

  /** Starts one, as the server does, so that it finds it as its own. */
  async start(index: number): Promise<void> {
    const setting = this.#setting(index);
    const processes = [localProcess.processConfig.parse(setting)];
    const local = localProcess.create(processes, { state_dir: this.#stateDir, log: silentLog });
    await local.start(setting.name);
    await until(async () => (await fetch(setting.probe.url)).ok, `${setting.name} to serve`);
  }

  async break(index: number): Promise<void> {
    await fetch(this.#setting(index).probe.url.replace("/healthz", "/break"), { method: "POST" });
  }

  /** Ends one, if it runs. */
  async end(index: number): Promise<void> {
    const file = join(this.#stateDir, `${this.#setting(index).name}.json`);
    const { pid } = JSON.parse(await readFile(file, "utf8").catch(() => "{}")) as { pid?: number };
    if (pid === undefined) return;
    try {
      process.kill(pid, "SIGKILL");
    } catch {
      // It has ended by itself.
    }
  }

  async endAll(): Promise<void> {
    for (const index of this.#settings.keys()) await this.end(index);
  }

  #setting(index: number): ProcessSetting {
    const setting = this.#settings[index];
    if (setting === undefined) throw new Error(`there is no shop ${index}`);
    return setting;
  }
}
