import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { SEED } from "../../test/support/random.ts";
import { parseOperation } from "./index.ts";
import { readProgram } from "./parse/lex.ts";
import { Refused } from "./parse/refused.ts";
import { TextCursor } from "./parse/text-cursor.ts";

// What real shells make of a text is the measure of what the reader says that they make of it.
const SHELLS = ["bash", "dash"] as const;
const folder = mkdtempSync(join(tmpdir(), "awoooi-shell-"));
const [work, tools, log] = [join(folder, "work"), join(folder, "tools"), join(folder, "log")];
const NAMES =
  "kubectl docker systemctl journalctl ssh grep head du date ls awk sed hostname reboot sudo uptime".split(
    " ",
  );

// Each tool only notes what it was given, with the number of its words first; ssh also runs what a host would.
const STUB = `#!/bin/sh
name=\${0##*/}
printf '%s\\0' "$#" "$name" "$@" >> "${log}"
[ "$name" = ssh ] || exit 0
while case $1 in -p|-i|-l) shift 2;; -*) shift;; *) false;; esac; do :; done
shift
exec /bin/sh -c "$*"
`;

beforeAll(() => {
  mkdirSync(work);
  mkdirSync(tools);
  for (const name of NAMES) {
    writeFileSync(join(tools, name), STUB);
    chmodSync(join(tools, name), 0o755);
  }
});
afterAll(() => rmSync(folder, { recursive: true }));

const quoted = (text: string) => `'${text.replaceAll("'", `'\\''`)}'`;

/** What the shell printed. How the last command ended is not how the shell ends: the texts are random, and may fail. */
function run(shell: string, script: string, env: Record<string, string>): string {
  return execFileSync(`/usr/bin/${shell}`, ["-s"], {
    cwd: work,
    env: { PATH: tools, HOME: "/home/me", ...env },
    input: `${script}\nexit 0\n`,
    encoding: "utf8",
    maxBuffer: 2 ** 27,
    stdio: ["pipe", "pipe", "ignore"],
  });
}

/** Lists that begin with the number of their words, but for the first `more`. */
function lists(text: string, more: number): string[][] {
  const all = text.split("\0").slice(0, -1);
  const found: string[][] = [];
  for (let at = 0; at < all.length; ) {
    const count = Number(all[at]) + more;
    found.push(all.slice(at + 1, at + 1 + count));
    at += 1 + count;
  }
  return found;
}

/** The words behind the command, where the reader says that all of them are known. */
function wordsOf(text: string): string[] | null {
  try {
    const { pipelines } = readProgram(new TextCursor(`x ${text}`), "");
    const [command, ...others] = pipelines.flatMap((one) => one.commands);
    const plain = others.length === 0 && command?.redirections.length === 0;
    if (!plain || command.words.some(({ unknown }) => unknown !== null)) return null;
    return command.words.slice(1).map((word) => word.text);
  } catch (error) {
    if (error instanceof Refused) return null;
    throw error;
  }
}

describe("what the reader says that a shell makes of a text", () => {
  it("is the words that shells make of it, wherever it says that they are known", () => {
    const piece = fc.constantFrom(
      ..."a b , .. . { } {a {a} {a,b} {1..3} {} {{ }} {{a}},b} ' \" '' \"\" 'a b' \"{a,b}\" \\ \\\\ \\, \\{ \\' = - : / @ $ $'a' $'\\x41' $\"a\" ! ~ * ? [a] $X $\u007bX}".split(
        " ",
      ),
      " ",
      "\\\n",
    );
    const text = fc.array(piece, { minLength: 1, maxLength: 9 }).map((pieces) => pieces.join(""));
    const texts = fc
      .sample(text, { seed: SEED, numRuns: 6_000 })
      .map((one) => ({ text: one, words: wordsOf(one) }))
      .filter(({ words }) => words !== null)
      .slice(0, 700);
    expect(texts.length).toBeGreaterThan(300);
    for (const shell of SHELLS) {
      // A shell that does not understand a text ends, which must be no other text's end. dash knows no $'…'.
      const mine = texts.filter((one) => shell === "bash" || !/\$['"]/.test(one.text));
      const calls = mine.map((one) => `t ${quoted(one.text)}`).join("\n");
      const script = `t() { (eval "set -- $1" && printf '%s\\0' "$#" "$@") || printf '1\\0?error\\0'; }\n${calls}`;
      const made = lists(run(shell, script, {}), 0);
      expect(mine.map((one, at) => [one.text, made[at]])).toEqual(mine.map((one) => [one.text, one.words]));
    }
  });
});

const TAKES: Readonly<Record<string, RegExp>> = {
  journalctl: /^-[utgpcSo]$/,
  kubectl: /^(-[nlLoc]|--context|--raw)$/,
  docker: /^(-[lpn]|--tail|--context)$/,
  systemctl: /^-[ptno]$/,
  du: /^-d$/,
  date: /^-d$/,
};

/** Flags with their values, and operands, as the tools themselves tell them apart. */
function parted(name: string, words: readonly string[]): { flags: string[]; operands: string[] } {
  const flags: string[] = [];
  const operands: string[] = [];
  for (let at = 0; at < words.length; at += 1) {
    const word = words[at] ?? "";
    if (word === "--") return { flags, operands: [...operands, ...words.slice(at + 1)] };
    if (!word.startsWith("-") || word === "-") operands.push(word);
    else if (TAKES[name]?.test(word)) {
      at += 1;
      flags.push(`${word}=${words[at] ?? ""}`);
    } else flags.push(word);
  }
  return { flags, operands };
}

const HARM: Readonly<Record<string, (flags: string[], operands: string[]) => boolean>> = {
  journalctl: (flags) => flags.some((one) => /^--(rotate|vacuum)/.test(one)),
  kubectl: (flags, [verb, ...operands]) => {
    if (flags.some((one) => /^--(as|server)|^-v=[6-9]/.test(one))) return true;
    if (/^(delete|exec|scale)$/.test(verb ?? "")) return true;
    const raw = flags.some((one) => one.startsWith("--raw"));
    if (raw && (verb === "config" || (verb === "get" && operands.length === 0))) return true;
    const shows = flags.some((one) => /^(-oyaml|-o=yaml)$/.test(one));
    const named = operands.filter((one) => one.includes("/"));
    // With a kind of its own, kubectl refuses names that have another.
    const kinds = named.length === operands.length ? named : named.length > 0 ? [] : operands.slice(0, 1);
    return verb === "get" && shows && kinds.some((one) => /(^|,)secret/.test(one));
  },
  docker: (flags, [verb, second]) =>
    /^(run|rm)$/.test(verb ?? "") ||
    (verb === "compose" && second === "down") ||
    (verb === "buildx" && flags.includes("--bootstrap")),
  systemctl: (flags, [verb]) =>
    /^(restart|stop)$/.test(verb ?? "") || flags.some((one) => one.startsWith("-H")),
  du: (flags) => flags.some((one) => one.startsWith("--files0")),
  date: (flags, operands) => flags.includes("-s") || operands.some((one) => !one.startsWith("+")),
  // A template is left as it stands, which is only in files of templates.
  grep: (flags, operands) =>
    operands.length > 1 && ![...flags, operands[0] ?? ""].some((word) => word.endsWith("{{")),
  reboot: () => true,
  hostname: (_flags, operands) => operands.length > 0,
};

const harms = ([name = "", ...words]: string[]): boolean => {
  const { flags, operands } = parted(name, words);
  return HARM[name]?.(flags, operands) ?? false;
};

describe("a text that only reads", () => {
  const beginning = fc.constantFrom(
    "journalctl",
    "journalctl -u",
    "kubectl",
    "kubectl -n",
    "kubectl get",
    "kubectl -n $U get",
    "kubectl get secrets",
    "kubectl config view",
    "kubectl logs",
    "docker",
    "docker logs",
    "docker compose -p",
    "docker buildx inspect",
    "systemctl",
    "systemctl -p",
    "systemctl status",
    "du",
    "date",
    "echo",
    "printf",
    "ssh web1 ls",
    "ssh web1 echo",
    "ssh web1 journalctl",
    "kubectl get pods | grep",
    "echo --rotate; journalctl",
  );
  const piece = fc.constantFrom(
    ..."get logs ps show status pods secrets secret/db delete down run restart api -n -l -L -t -u -o -p -oyaml -c -- --rotate --as=admin -v=9 --raw --bootstrap -s $U \"$U\" $NS $U--rotate $U--as=admin $U-oyaml $U$U x$U x$IFS--rotate $\u007bU:---rotate} $\u007bU:-delete} $_ \"$_\" {x} {x}$U {a,b} {--rotate,x} {secrets,-oyaml} {--bootstrap,x} {--raw,x} {'\"',x} ';reboot;' '{\"',y} <a> <a> <a>b b ~ ~$U * {{x}} 'a b' %s +%s \"+$U\" 1".split(
      " ",
    ),
    "{{ delete }}",
    "{{ x }}",
    "$(echo --rotate)",
    "$(echo x --as=admin)",
    "$(kubectl get pods -o name)",
    '"$(echo --rotate)"',
    `"echo $'a\\';reboot\n'"`,
    "\\\n",
    '"$\\\n(reboot)"',
    "$U\\\n",
    '"`echo \\"\'\\" ; reboot ; echo \\"\'\\"`"',
    "<<EOF\nE\\\nOF\nreboot\nEOF\n",
  );
  const text = fc
    .tuple(beginning, fc.array(fc.tuple(piece, fc.constantFrom(" ", " ", " ", "")), { maxLength: 6 }))
    .map(([start, pieces]) => `${start} ${pieces.map(([one, blank]) => `${one}${blank}`).join("")}`);

  it("only reads when a shell runs it, whatever one word stands in a variable, or none", () => {
    const texts = [...new Set(fc.sample(text, { seed: SEED, numRuns: 25_000 }))]
      .filter((one) => /[$<{*~]/.test(one) && parseOperation(one).class === "read_only")
      .slice(0, 240);
    expect(texts.length).toBeGreaterThan(150);
    const harmful = new Set<string>();
    for (const shell of SHELLS) {
      for (const value of [undefined, "x", "--rotate", "-oyaml", "secrets", "--raw", "--bootstrap"]) {
        for (const name of readdirSync(work)) rmSync(join(work, name));
        for (const name of ["a", "b", "x"]) writeFileSync(join(work, name), "kept");
        writeFileSync(log, "");
        const one = (command: string, at: number) =>
          // A file of a name that a placeholder left behind is no other text's: it would be a flag where that has a `*`.
          `printf '0\\0#${at}\\0' >> ${log}; (eval ${quoted(command)}) </dev/null >/dev/null; /bin/rm -f -- ./-*`;
        run(shell, texts.map(one).join("\n"), { NS: "prod", ...(value === undefined ? {} : { U: value }) });
        const calls = lists(readFileSync(log, "utf8"), 1);
        let at = -1;
        for (const call of calls) {
          if (call[0]?.startsWith("#")) at = Number(call[0].slice(1));
          else if (harms(call)) harmful.add(`${shell}, U=${value}: ${texts[at]} ran ${call.join(" ")}`);
        }
        expect(at).toBe(texts.length - 1);
        // Behind a placeholder may stand a flag, or kubectl's verb, and a shell makes a file of that name.
        const files = readdirSync(work).filter((name) => !/^(-.*|get|logs)$/.test(name));
        expect(files.map((name) => [name, readFileSync(join(work, name), "utf8")])).toEqual(
          ["a", "b", "x"].map((name) => [name, "kept"]),
        );
      }
    }
    expect([...harmful]).toEqual([]);
  });
});
