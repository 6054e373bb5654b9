import { describe, expect, it } from "vitest";
import { formatSpan, formatTime, printer, shellWord, terminalSafe } from "./print.ts";

const ESC = String.fromCodePoint(0x1b);
const BELL = String.fromCodePoint(7);

function printed(use: (out: ReturnType<typeof printer>) => void, io = { isTTY: false, env: {} }): string {
  let text = "";
  use(
    printer((more) => {
      text += more;
    }, io),
  );
  return text;
}

describe("clean", () => {
  it.each([
    ["colours", `${ESC}[31mred${ESC}[0m`, "red"],
    ["cursor movements", `safe${ESC}[2K${ESC}[1Gforged`, "safeforged"],
    ["window titles and links", `${ESC}]0;title${BELL}x${ESC}]8;;http://evil${BELL}y`, "xy"],
    ["8-bit control sequences", `a${String.fromCodePoint(0x9b)}31mb`, "ab"],
    ["line ends, which would forge a line", "one\r\n  awoooi: two", "one   awoooi: two"],
    ["text turned round", "a\u202egnp.exe\u2066b", "agnp.exeb"],
    ["text that cannot be seen", "a\u200b\u{e0041}b\u0000\u007f", "ab"],
    ["half a surrogate pair", "a\ud800b", "a\ufffdb"],
  ])("takes out %s", (_what, hostile, expected) => {
    expect(terminalSafe(hostile)).toBe(expected);
  });

  it("leaves what people write", () => {
    expect(terminalSafe("磁碟已滿 – naïve 👍🏽 می‌خواهم")).toBe("磁碟已滿 – naïve 👍🏽 می‌خواهم");
  });
});

describe("printer", () => {
  it("cleans whatever goes through it, and leaves JSON as it came", () => {
    const evil = `x${ESC}[2J\ny`;
    const text = printed((out) => {
      out.line(evil);
      out.fields([["name", evil]]);
      out.table(["A", "B"], [[evil, { text: evil, style: "red" }]]);
      out.block(evil, "> ");
    });
    expect(text).toBe("x y\nname  x y\nA    B\nx y  x y\n> x\n> y\n");
    expect(printed((out) => out.json('{"a": 1}'))).toBe('{"a": 1}\n');
  });

  it("aligns columns by what is seen, and cuts what is too long", () => {
    const text = printed((out) =>
      out.table(
        ["NAME", "X"],
        [
          ["磁碟", "1"],
          ["abcdef", "2"],
          ["z".repeat(100), "3"],
        ],
      ),
    );
    const [head, wide, narrow, long] = text.split("\n");
    expect(head).toBe(`NAME${" ".repeat(58)}X`);
    expect(wide).toBe(`磁碟${" ".repeat(58)}1`);
    expect(narrow).toBe(`abcdef${" ".repeat(56)}2`);
    expect(long).toBe(`${"z".repeat(59)}…  3`);
  });

  it("colours on a terminal only, and not with NO_COLOR", () => {
    const green = (io: Parameters<typeof printed>[1]) => printed((out) => out.line("ok", "green"), io);
    expect(green({ isTTY: true, env: {} })).toContain(ESC);
    expect(green({ isTTY: true, env: { NO_COLOR: "1" } })).toBe("ok\n");
    expect(green({ isTTY: false, env: {} })).toBe("ok\n");
  });
});

describe("times", () => {
  it("are shown in UTC to the second", () => {
    expect(formatTime("2026-07-01T12:00:03.123Z")).toBe("2026-07-01 12:00:03Z");
    expect(formatTime(null)).toBe("-");
  });

  it.each([
    [-5, "0s"],
    [59_999, "59s"],
    [60_000, "1m"],
    [3_600_000, "1h"],
    [47 * 3_600_000, "47h"],
    [48 * 3_600_000, "2d"],
  ])("%i ms is %s", (milliseconds, expected) => {
    expect(formatSpan(milliseconds)).toBe(expected);
  });
});

describe("shellWord", () => {
  it("quotes what a shell would act on", () => {
    expect(shellWord("APR-1")).toBe("APR-1");
    expect(shellWord("a b; $(rm)'x")).toBe(`'a b; $(rm)'\\''x'`);
    expect(shellWord("")).toBe("''");
  });
});
