import type { Operation } from "../../../../operation/index.ts";
import { type Argv, checkPermission, type Host } from "../connection/host.ts";
import { diskOf, observeDisk } from "../facts/disk.ts";
import { type Journal, readJournal } from "../facts/journal.ts";
import { inBytes } from "../text.ts";
import { onHost, type Task } from "./task.ts";

type Vacuum = Extract<Operation, { kind: "host.vacuum_journal" }>;

const MEBIBYTE = 1_048_576;

/** The task that runs `journalctl --vacuum-size`: removes the oldest journal files down to a size, but none in use. */
export function journalTask(host: Host, operation: Vacuum): Task {
  const keep = operation.parameters.keep_megabytes;
  const argv: Argv = ["journalctl", `--vacuum-size=${keep}M`];
  const beyond = ({ bytes }: Journal) => bytes - keep * MEBIBYTE;
  const journalDisk = async () => {
    const journal = await readJournal(host);
    return journal.ok ? diskOf(host, journal.value.dir) : journal;
  };
  return {
    undo: "the removed entries are lost",
    resolve: async () => onHost(host, operation),
    async dryRun() {
      const [permission, journal] = await Promise.all([checkPermission(host, argv), readJournal(host)]);
      const name = "journal";
      if (!journal.ok) return { checks: [permission, { name, passed: false, message: journal.message }] };
      const { bytes, dir } = journal.value;
      const more = beyond(journal.value);
      const message =
        more > 0
          ? `${inBytes(bytes)} in ${dir}: about ${inBytes(more)} would be removed, its oldest entries`
          : `${inBytes(bytes)} in ${dir}: nothing exceeds ${keep} MB`;
      const diff = more > 0 ? `- about ${inBytes(more)} of the journal, its oldest entries` : null;
      return { checks: [permission, { name, passed: more > 0, message }], diff };
    },
    async snapshot() {
      const journal = await readJournal(host);
      if (!journal.ok) throw new Error(journal.message);
      const disk = await diskOf(host, journal.value.dir);
      const room = disk.ok ? { free: disk.value.free, mount: disk.value.mount } : {};
      return { journal: journal.value.bytes, ...room };
    },
    act: (signal) => host.change(host.privileged(argv), signal),
    async effect(before) {
      const journal = await readJournal(host);
      if (!journal.ok || typeof before.journal !== "number") return "cannot_tell";
      return journal.value.bytes < before.journal ? "done" : "not_done";
    },
    observe: async (_now, before) => observeDisk(await journalDisk(), before),
  };
}
