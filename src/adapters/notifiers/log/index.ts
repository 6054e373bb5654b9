import { z } from "zod";
import { clip } from "../../../lib/clip.ts";
import type { Notifier } from "../../../notification/index.ts";

// Alert text is untrusted: it must not move the cursor or recolour the operator's terminal.
const printable = (text: string) => clip(text.replace(/\p{Cc}/gu, " "), 500);

// Cards are shared by all channels and write commands as `awoooi …`; here that becomes `program`.
const COMMAND = /(: |, then )awoooi (?=(?:approvals|executions|unfreeze)\b)/g;

const settings = {
  terminal: z
    .boolean()
    .default(true)
    .describe("notices are printed in the terminal where the server was started"),
};
type Section = { terminal: boolean };
type Deps = { print: (line: string) => void; program?: string | undefined };

/** Prints cards on the terminal that the server was started in: the channel that needs no configuration. */
export const log = {
  id: "log",
  settings,
  local: true as const,
  channels: ({ terminal }: Section) => (terminal ? [{ name: "log", path: null }] : []),
  create: ({ terminal }: Section, deps: Deps): Notifier[] => (terminal ? [create(deps)] : []),
};

/** Returns the notifier. `program` is the command by which the reader of the lines starts AWOOOI. */
function create({ print, program = "awoooi" }: Deps): Notifier {
  return {
    id: "log",
    async send(card) {
      const head = [card.severity, card.incident_id, card.title].filter(Boolean).join(" ");
      const sign =
        card.approval === null ? [] : [`sign it: ${program} approvals approve ${card.approval.approval_id}`];
      const lines = card.lines.map((line) => line.replace(COMMAND, (_, before) => `${before}${program} `));
      for (const line of [head, ...[...lines, ...sign].map((more) => `   ${more}`)]) print(printable(line));
      return { ok: true };
    },
  };
}
