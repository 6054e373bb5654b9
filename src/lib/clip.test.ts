import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { SEED } from "../../test/support/random.ts";
import { clip, clipCounted, clipStart } from "./clip.ts";

const FAMILY = "👨‍👩‍👧‍👦";
const FLAG = "🇹🇼";
const PIECES = ["a", " ", "\n", "é", "é", "臺", "😀", FAMILY, FLAG, "👍🏽", "कि", "\ud800", "\udc00"];
const texts = fc
  .array(fc.constantFrom(...PIECES), { maxLength: 60 })
  .map((pieces) => pieces.join("").toWellFormed());
const graphemes = (text: string) =>
  [...new Intl.Segmenter(undefined, { granularity: "grapheme" }).segment(text)].map((one) => one.segment);
/** Those that fit, from the first on. */
function fitting(all: string[], room: number): string[] {
  const fits = all.findIndex((_, at) => all.slice(0, at + 1).join("").length > room);
  return fits < 0 ? all : all.slice(0, fits);
}
const marks = fc.constantFrom("", "…", "… (cut)");

describe("clip", () => {
  it("keeps as many whole graphemes of the beginning as fit, and says that there is more", () => {
    fc.assert(
      fc.property(texts, fc.integer({ min: 8, max: 80 }), marks, (text, most, mark) => {
        const kept = clip(text, most, mark);
        expect(kept).toBe(
          text.length <= most ? text : `${fitting(graphemes(text), most - mark.length).join("")}${mark}`,
        );
        expect(kept.isWellFormed()).toBe(true);
      }),
      { seed: SEED, numRuns: 2_000 },
    );
  });

  it("keeps as many of the end", () => {
    fc.assert(
      fc.property(texts, fc.integer({ min: 8, max: 80 }), marks, (text, most, mark) => {
        const kept = clipStart(text, most, mark);
        const end = fitting(graphemes(text).reverse(), most - mark.length);
        const inOrder = graphemes(text).slice(graphemes(text).length - end.length);
        expect(kept).toBe(text.length <= most ? text : `${mark}${inOrder.join("")}`);
        expect(kept.isWellFormed()).toBe(true);
      }),
      { seed: SEED, numRuns: 2_000 },
    );
  });

  it.each([
    ["a pair", `${"x".repeat(9)}😀`, 10, "x".repeat(9)],
    ["a family", `ab${FAMILY}`, 9, "ab"],
    ["the second of two flags", FLAG.repeat(2), 6, FLAG],
    ["one of very many flags", FLAG.repeat(500), 1_500 + 2, FLAG.repeat(375)],
    ["an accent", "cafe\u0301 au lait", 4, "caf"],
  ])("does not cut through %s", (_what, text, most, kept) => {
    expect(clip(text, most, "")).toBe(kept);
  });

  it("bounds a character that never ends, and what is no text", () => {
    const zalgo = `a${"\u0301".repeat(10_000)}`;
    expect(clip(zalgo, 100)).toHaveLength(100);
    expect(clipStart(zalgo, 100).length).toBeLessThanOrEqual(100);
    expect(clip("\ud800\ud800", 2)).toBe("\ufffd\ufffd");
    expect(clip("", 5)).toBe("");
    expect(clip("abc", 0, "")).toBe("");
    expect(clipCounted(FLAG.repeat(3), 6, "\n")).toBe(`${FLAG}\n… (12 characters)`);
    expect(clipCounted("abc", 3)).toBe("abc");
  });
});

// What is cut there is a list, or compared, parsed or hashed, or goes through `clip` afterwards: nobody is shown it.
const ELSEWHERE = [
  "src/adapters/executors/kubernetes/analyse/text.ts",
  "src/adapters/executors/kubernetes/locate/choose.ts",
  "src/adapters/executors/mcp/stderr.ts",
  "src/adapters/executors/ssh/tasks/logs-task.ts",
  "src/adapters/sources/sentry/issue.ts",
  "src/cli/commands/alertmanager/routes.ts",
  "src/db/lock.ts",
  "src/incident/correlation/names.ts",
  "src/incident/correlation/symptom-kinds.ts",
  "src/intake/normalise/alert-words.ts",
  "src/intake/normalise/vocabulary.ts",
];
/** To a length that is a number or a name for one, of what is called as texts are. */
const CUT =
  /(text|line|name|message|reason|error|title|value|given|said|wanted|plain|clean|shown|output|url|link|expr|Text\(.*\)|join\(.*\)|`)\??\.(slice|substring)\((0, |-)(\d|[A-Z]{2}|most|max|limit)/;

describe("text that is kept, sent or shown", () => {
  it("is cut by this and nothing else", () => {
    const root = join(import.meta.dirname, "../..");
    const files = globSync("{src,demo}/**/*.ts", { cwd: root }).filter((file) => !file.endsWith(".test.ts"));
    const cuts = (file: string) => {
      const lines = readFileSync(join(root, file), "utf8")
        .replaceAll(/\n\s+\.(?=slice)/g, ".")
        .split("\n");
      return lines.some((line) => CUT.test(line) && !/(hash\w*|sha256|toISOString)\(/i.test(line));
    };
    expect(files.length).toBeGreaterThan(300);
    expect(files.filter(cuts).sort()).toEqual(ELSEWHERE);
  });
});
