import { describe, expect, it } from "vitest";
import type { Log } from "./log.ts";
import { withoutRepetition } from "./log-repetition.ts";

function recorder() {
  const lines: [string, object, string][] = [];
  const record = (level: string) => (fields: object, text: string) => void lines.push([level, fields, text]);
  const log: Log = {
    debug: record("debug"),
    info: record("info"),
    warn: record("warn"),
    error: record("error"),
  };
  return { lines, log, levels: () => lines.map(([level]) => level) };
}

describe("a log without repetition", () => {
  it("tells the same once a minute, with how often it came since", () => {
    const { log, lines, levels } = recorder();
    let now = 0;
    const quiet = withoutRepetition(log, undefined, () => now);
    for (let call = 0; call < 5; call += 1) quiet.error({ error: "away", calls: call }, "it failed");
    expect(levels()).toEqual(["error", "debug", "debug", "debug", "debug"]);
    now = 60_000;
    quiet.error({ error: "away" }, "it failed");
    expect(lines.at(-1)).toEqual(["error", { error: "away", repeated: 4 }, "it failed"]);
  });

  it("tells what is another level, text or cause, and every information", () => {
    const { log, levels } = recorder();
    const quiet = withoutRepetition(log, undefined, () => 0);
    quiet.error({ error: "away" }, "it failed");
    quiet.warn({ error: "away" }, "it failed");
    quiet.error({ error: new Error("full") }, "it failed");
    quiet.error({ error: new Error("broken") }, "it failed");
    quiet.error({ error: "away" }, "another failed");
    quiet.info({}, "on");
    quiet.info({}, "on");
    expect(levels()).toEqual(["error", "warn", "error", "error", "error", "info", "info"]);
  });

  it("takes lines for the same that differ in what does not count", () => {
    const { log, levels } = recorder();
    const quiet = withoutRepetition(
      log,
      (text) => text.replace(/\d+/g, ""),
      () => 0,
    );
    quiet.warn({}, "attempt 1 of 9");
    quiet.warn({}, "attempt 2 of 9");
    expect(levels()).toEqual(["warn", "debug"]);
  });

  it("remembers a bounded number of lines", () => {
    const { log, levels } = recorder();
    const quiet = withoutRepetition(log, undefined, () => 0);
    for (let line = 0; line <= 500; line += 1) quiet.warn({}, `line ${line}`);
    quiet.warn({}, "line 0");
    expect(levels().filter((level) => level === "warn")).toHaveLength(502);
  });
});
