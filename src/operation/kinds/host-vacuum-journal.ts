import { z } from "zod";
import { defineOperation, ON_HOST } from "../kind.ts";
import { host } from "../names.ts";
import { targetInWords } from "../words.ts";

export const vacuumJournal = defineOperation({
  schema: z.strictObject({
    kind: z.literal("host.vacuum_journal"),
    target: host,
    /** Size of the systemd journal to keep, its latest entries, in units of 1,048,576 bytes: `M` of `--vacuum-size`. */
    parameters: z.strictObject({ keep_megabytes: z.number().int().min(50).max(1_000_000) }),
  }),
  traits: {
    ...ON_HOST,
    tool: "ssh_vacuum_journal",
    data_impact: "DESTRUCTIVE",
    verify: ["disk_freed", "alert_silent"],
  },
  title: ({ target, parameters: { keep_megabytes } }) =>
    `Remove the oldest entries of the journal of ${targetInWords(target)}, down to ${keep_megabytes} MB`,
  incompleteNames: { VACUUM_JOURNAL: "down to how much", SSH_VACUUM_JOURNAL: "down to how much" },
});
