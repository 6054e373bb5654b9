import type { Command } from "commander";
import { pageOf } from "../../contract/common.ts";
import { lesson } from "../../contract/correlation.ts";
import { urlPath } from "../../lib/url-path.ts";
import { parseAnswer, request } from "../client.ts";
import { addGroup, addSubcommand, id, limit, type Session } from "../command.ts";
import { formatTime, shellWord } from "../print.ts";

type Json = { json?: boolean };
type ListOptions = Json & { limit?: number; cursor?: string };

async function list(session: Session, { json, ...query }: ListOptions): Promise<void> {
  const answer = await request(session.server(), "GET", urlPath`/correlation/lessons`, { query });
  if (json) return session.out.json(answer.text);
  const { items, next_cursor } = parseAnswer(pageOf(lesson), answer);
  if (items.length === 0) return session.out.line("There are no lessons: nothing was merged or split.");
  session.out.table(
    ["LESSON", "TAUGHT", "BY", "AT", "TROUBLES"],
    items.map((one) => [
      one.lesson_id,
      one.lesson,
      one.taught_by,
      formatTime(one.taught_at),
      one.troubles.map(({ title }) => title).join(" | "),
    ]),
  );
  if (next_cursor !== null) session.err.line(`There are more: --cursor ${shellWord(next_cursor)}`);
}

/** Adds the commands for lessons: what people taught about which incidents belong together. */
export function addCorrelation(program: Command, session: Session): void {
  const lessons = addGroup(program, "lessons", "what merges and splits taught about grouping");
  addSubcommand(lessons, "ls", "list lessons, newest first", [
    "awoooi lessons ls",
    "awoooi lessons ls --json",
  ])
    .option("--limit <n>", "at most this many (default: 50)", limit)
    .option("--cursor <cursor>", "continue after the previous page")
    .action((options: ListOptions) => list(session, options));

  addSubcommand(lessons, "forget", "delete a lesson; merged and split incidents stay so", [
    "awoooi lessons forget LES-7H2K9Q0000000000",
  ])
    .argument("<id>", "the lesson", id)
    .action(async (lessonId: string, { json }: Json) => {
      const answer = await request(session.server(), "DELETE", urlPath`/correlation/lessons/${lessonId}`);
      if (json) return session.out.json(answer.text);
      session.out.line(`${parseAnswer(lesson, answer).lesson_id} is forgotten.`);
    });
}
