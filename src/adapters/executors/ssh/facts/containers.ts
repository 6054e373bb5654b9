import { z } from "zod";
import { containerName } from "../../../../operation/index.ts";
import type { Host } from "../connection/host.ts";
import { invalidNameReason } from "../tasks/task.ts";
import { inLine, linesOf } from "../text.ts";
import type { ReadResult } from "./units.ts";

// The fields used of `docker inspect`; podman prints these the same way.
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
  /** Status of its health check; null when it has none. */
  health: string | null;
  restarts: number;
  log_driver: string;
  log_path: string;
  project: string | null;
  /** Its compose service in the project. */
  service: string | null;
};

/** Parses the output of `docker container inspect`. Pure. */
function parseInspected(text: string): ReadResult<ContainerState[]> {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return { ok: false, message: "its list of containers is not JSON" };
  }
  const parsed = inspected.safeParse(json);
  if (!parsed.success) return { ok: false, message: "its list of containers could not be parsed" };
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
    // Not cleaned for display: it becomes a command argument.
    log_path: LogPath,
    project: Config.Labels?.["com.docker.compose.project"] ?? null,
    service: Config.Labels?.["com.docker.compose.service"] ?? null,
  }));
  return { ok: true, value };
}

export async function inspect(host: Host, names: readonly string[]): Promise<ReadResult<ContainerState[]>> {
  if (names.length === 0) return { ok: true, value: [] };
  const [gap] = names.flatMap((name) => invalidNameReason(name, containerName) ?? []);
  if (gap !== undefined) return { ok: false, message: gap };
  const looked = await host.look(host.runtime("container", "inspect", "--", ...names));
  return looked.ok ? parseInspected(looked.stdout) : looked;
}

/** Lists ids and names of the containers that match all filters, running or not; without filters, all. */
export async function listContainers(
  host: Host,
  filters: readonly string[] = [],
): Promise<ReadResult<{ id: string; name: string }[]>> {
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
  // Ids become command arguments: drop anything that is not hexadecimal.
  return { ok: true, value: value.filter(({ id }) => /^[0-9a-f]{12,64}$/.test(id)) };
}

/** Returns whether a container runs and its health check, if it has one, passes. */
export function isWell({ running, health }: ContainerState): boolean {
  return running && (health === null || health === "healthy" || health === "none");
}

/** Describes a container's state for people. */
export function inState(one: ContainerState): string {
  const health = one.health === null ? "" : `, ${one.health}`;
  const ended = one.running
    ? ""
    : `, exit code ${one.exit_code}${one.out_of_memory ? ", out of memory" : ""}`;
  const times = one.restarts === 0 ? "" : `, restarted ${one.restarts} times`;
  const since = one.started_at === "" ? "" : ` since ${one.started_at}`;
  return `${one.status}${health}${one.running ? since : ""}${ended}${times}`;
}
