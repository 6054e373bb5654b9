import { z } from "zod";
import { clip } from "../../../lib/clip.ts";
import type { Notifier } from "../../../notification/index.ts";

// Alert text is somebody else's: it must not move the cursor or recolour the operator's terminal.
const printable = (text: string) => clip(text.replace(/\p{Cc}/gu, " "), 500);

// A card is for every channel, and calls this program by its name.
const COMMAND = /(: |, then )awoooi (?=(?:approvals|executions|unfreeze)\b)/g;

const settings = { terminal: z.boolean().default(true) };
type Section = { terminal: boolean };
type Deps = { print: (line: string) => void; program?: string | undefined };

/** Prints cards where the server was started: the channel that is there before any is configured. */
export const log = {
  id: "log",
  settings,
  local: true as const,
  channels: ({ terminal }: Section) => (terminal ? [{ name: "log", path: null }] : []),
  create: ({ terminal }: Section, deps: Deps): Notifier[] => (terminal ? [create(deps)] : []),
};

/** `program` is how whoever reads the lines starts this program. */
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
