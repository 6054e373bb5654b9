import { z } from "zod";
import { containerName } from "../../../operation/index.ts";
import type { Host } from "./host.ts";
import { nameGap } from "./task.ts";
import { inLine, linesOf } from "./text.ts";
import type { Told } from "./units.ts";

// What of `docker inspect` is asked for; podman's is the same as far as this goes.
const inspected = z.array(
  z.object({
    Id: z.string(),
    Name: z.string(),
    RestartCount: z.number().catch(0),
    LogPath: z.string().catch(""),
    State: z.object({
      Status: z.string().catch(""),
      Running: z.boolean().catch(false),
      Restarting: z.boolean().catch(false),
      ExitCode: z.number().catch(0),
      OOMKilled: z.boolean().catch(false),
      StartedAt: z.string().catch(""),
      Health: z.object({ Status: z.string() }).nullish().catch(null),
    }),
    HostConfig: z
      .object({ LogConfig: z.object({ Type: z.string() }).nullish().catch(null) })
      .nullish()
      .catch(null),
    Config: z
      .object({ Image: z.string().catch(""), Labels: z.record(z.string(), z.string()).nullish().catch(null) })
      .catch({ Image: "", Labels: null }),
  }),
);

export type ContainerState = {
  id: string;
  name: string;
  image: string;
  status: string;
  running: boolean;
  exit_code: number;
  out_of_memory: boolean;
  started_at: string;
  /** Of its health check; null where it has none. */
  health: string | null;
  restarts: number;
  log_driver: string;
  log_path: string;
  project: string | null;
  /** Of which service of the project it is. */
  service: string | null;
};

/** Reads what `docker container inspect` says. Pure. */
function parseInspected(text: string): Told<ContainerState[]> {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return { ok: false, message: "what it says of its containers is no JSON" };
  }
  const parsed = inspected.safeParse(json);
  if (!parsed.success) return { ok: false, message: "what it says of its containers has another form" };
  const value = parsed.data.map(({ Id, Name, RestartCount, LogPath, State, HostConfig, Config }) => ({
    id: inLine(Id, 80),
    name: inLine(Name.replace(/^\//, "")),
    image: inLine(Config.Image),
    status: inLine(State.Status, 40),
    running: State.Running && !State.Restarting,
    exit_code: State.ExitCode,
    out_of_memory: State.OOMKilled,
    started_at: inLine(State.StartedAt, 40),
    health: State.Health ? inLine(State.Health.Status, 40) || null : null,
    restarts: RestartCount,
    log_driver: inLine(HostConfig?.LogConfig?.Type ?? "", 40),
    // Not shown as it is: it becomes an argument.
    log_path: LogPath,
    project: Config.Labels?.["com.docker.compose.project"] ?? null,
    service: Config.Labels?.["com.docker.compose.service"] ?? null,
  }));
  return { ok: true, value };
}

export async function inspect(host: Host, names: readonly string[]): Promise<Told<ContainerState[]>> {
  if (names.length === 0) return { ok: true, value: [] };
  const [gap] = names.flatMap((name) => nameGap(name, containerName) ?? []);
  if (gap !== undefined) return { ok: false, message: gap };
  const looked = await host.look(host.runtime("container", "inspect", "--", ...names));
  return looked.ok ? parseInspected(looked.stdout) : looked;
}

/** Ids and names of containers that fit the filters, of every state; all where there are none. */
export async function listContainers(
  host: Host,
  filters: readonly string[] = [],
): Promise<Told<{ id: string; name: string }[]>> {
  const args = filters.flatMap((one) => ["--filter", one]);
  const looked = await host.look(
    host.runtime("ps", "--all", "--no-trunc", ...args, "--format", "{{.ID}}\t{{.Names}}"),
  );
  if (!looked.ok) return looked;
  const rows = linesOf(looked.stdout);
  const value = rows.map((line) => {
    const [id = "", names = ""] = line.split("\t");
    return { id: id.trim(), name: inLine(names.split(",")[0] ?? "") };
  });
  // They become arguments: an id is hexadecimal, whatever else was said.
  return { ok: true, value: value.filter(({ id }) => /^[0-9a-f]{12,64}$/.test(id)) };
}

/** Running, and well by its own health check where it has one. */
export function isWell({ running, health }: ContainerState): boolean {
  return running && (health === null || health === "healthy" || health === "none");
}

/** Its state for people. */
export function inState(one: ContainerState): string {
  const health = one.health === null ? "" : `, ${one.health}`;
  const ended = one.running
    ? ""
    : `, exit code ${one.exit_code}${one.out_of_memory ? ", out of memory" : ""}`;
  const times = one.restarts === 0 ? "" : `, restarted ${one.restarts} times`;
  const since = one.started_at === "" ? "" : ` since ${one.started_at}`;
  return `${one.status}${health}${one.running ? since : ""}${ended}${times}`;
}
