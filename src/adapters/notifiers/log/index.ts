import { clip } from "../../../lib/clip.ts";
import type { Notifier } from "../../../notification/index.ts";

// Alert text is somebody else's: it must not move the cursor or recolour the operator's terminal.
const printable = (text: string) => clip(text.replace(/\p{Cc}/gu, " "), 500);

/** Prints cards where the server was started: the channel that is there before any is configured. */
export const log = {
  id: "log",
  describe: () => ({ name: "Terminal", kind: "notifier" as const, capabilities: ["text"] }),
  create: (deps: { print: (line: string) => void }): Notifier => ({
    id: "log",
    async send(card) {
      const head = [card.severity, card.incident_id, card.title].filter(Boolean).join(" ");
      const sign =
        card.approval === null ? [] : [`sign it: npx awoooi approvals approve ${card.approval.approval_id}`];
      for (const line of [head, ...[...card.lines, ...sign].map((more) => `   ${more}`)])
        deps.print(printable(line));
      return { ok: true };
    },
  }),
};
