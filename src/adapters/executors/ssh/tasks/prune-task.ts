import type { Operation } from "../../../../operation/index.ts";
import { checkPermission, type Host } from "../connection/host.ts";
import { observeDisk, runtimeDisk } from "../facts/disk.ts";
import type { ReadResult } from "../facts/units.ts";
import { inLine, linesOf } from "../text.ts";
import { onHost, type Task } from "./task.ts";

type Prune = Extract<Operation, { kind: "host.docker_prune" }>;
type Removable = { id: string; words: string };
const NOTHING: ReadResult<Removable[]> = { ok: true, value: [] };

/** Returns the prune arguments, never with `--volumes`: data in volumes is kept. */
function pruneArgs({ parameters: { what, all_images } }: Prune): string[] {
  return [what, "prune", "--force", ...(all_images ? ["--all"] : [])];
}

async function listed(host: Host, args: string[], what: string): Promise<ReadResult<Removable[]>> {
  const looked = await host.look(host.runtime(...args));
  if (!looked.ok) return looked;
  const rows = linesOf(looked.stdout);
  const value = rows.map((line) => {
    const [id = "", ...words] = line.split("\t");
    return { id: inLine(id, 80), words: `${what} ${words.map((word) => inLine(word)).join(", ")}` };
  });
  return { ok: true, value };
}

/** Lists stopped containers and dangling images; the runtime cannot list unused tagged images, nor the build cache. */
async function removable(host: Host, { parameters: { what } }: Prune): Promise<ReadResult<Removable[]>> {
  const states = ["exited", "created", "dead"].flatMap((state) => ["--filter", `status=${state}`]);
  const containers = [
    "ps",
    "--all",
    "--no-trunc",
    ...states,
    "--format",
    "{{.ID}}\t{{.Names}}\t{{.Image}}\t{{.Status}}",
  ];
  const images = [
    "images",
    "--no-trunc",
    "--filter",
    "dangling=true",
    "--format",
    "{{.ID}}\t{{.ID}}\t{{.Size}}",
  ];
  const both = await Promise.all([
    ["system", "container"].includes(what) ? listed(host, containers, "container") : NOTHING,
    ["system", "image"].includes(what) ? listed(host, images, "image") : NOTHING,
  ]);
  const failed = both.find((one) => !one.ok);
  if (failed?.ok === false) return failed;
  return { ok: true, value: both.flatMap((one) => (one.ok ? one.value : [])) };
}

/** Describes what could be freed, as the runtime reports it. */
async function wouldFree(host: Host): Promise<string> {
  const looked = await host.look(
    host.runtime("system", "df", "--format", "{{.Type}}: {{.Reclaimable}} of {{.Size}}"),
  );
  if (!looked.ok) return looked.message;
  const lines = looked.stdout.split("\n").map((line) => inLine(line));
  return lines.filter((line) => line !== "" && !/volume/i.test(line)).join(", ");
}

/** The task that runs `docker system|container|image|builder prune`. */
export function pruneTask(host: Host, operation: Prune): Task {
  const args = pruneArgs(operation);
  return {
    undo: "what was removed is lost: images can be pulled again, stopped containers cannot be restored",
    resolve: async () => onHost(host, operation),
    async dryRun() {
      const [permission, free, list] = await Promise.all([
        checkPermission(host, [host.config.runtime, ...args]),
        wouldFree(host),
        removable(host, operation),
      ]);
      const { what, all_images } = operation.parameters;
      const cache = what === "builder";
      const removed = cache ? "build cache" : `${list.ok ? list.value.length : 0}`;
      const message = list.ok ? `${removed} would be removed; volumes are kept` : list.message;
      const all = all_images
        ? [cache ? "- all of the build cache" : "- every image that no container uses"]
        : [];
      const diff = list.ok ? [...list.value.map(({ words }) => `- ${words}`), ...all].join("\n") : "";
      const checks = [
        permission,
        { name: "can be freed", passed: true, message: free },
        { name: "what would be removed", passed: list.ok, message },
      ];
      return { checks, diff: diff === "" ? null : diff };
    },
    async snapshot() {
      const [disk, list] = await Promise.all([runtimeDisk(host), removable(host, operation)]);
      if (!disk.ok) throw new Error(disk.message);
      const ids = list.ok ? list.value.map(({ id }) => id).slice(0, 5_000) : [];
      return { free: disk.value.free, mount: disk.value.mount, removable: ids };
    },
    act: (signal) => host.change(host.runtime(...args), signal),
    async effect(before) {
      const was = Array.isArray(before.removable) ? before.removable : [];
      const list = await removable(host, operation);
      if (!list.ok || was.length === 0) return "cannot_tell";
      const now = new Set(list.value.map(({ id }) => id));
      const left = was.filter((id) => now.has(String(id))).length;
      if (left === was.length) return "not_done";
      return left === 0 ? "done" : "cannot_tell";
    },
    observe: async (_now, before) => observeDisk(await runtimeDisk(host), before),
  };
}
