/**
 * Measures how the source is laid out: which files name a thing that should stand in one place, the rooms and their sizes,
 * the longest files and functions, circles of imports, exports that nobody uses, and runs of lines that stand twice.
 * `--before REVISION` prints an earlier commit beside it.
 */
import { execFileSync, spawnSync } from "node:child_process";
import { globSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, normalize } from "node:path";
import { parseArgs } from "node:util";

const ROOT = join(import.meta.dirname, "../..");
// Of a run of lines that stands twice: fewer are chance.
const RUN = 6;
const SHOWN = 8;

type File = { path: string; lines: string[]; test: boolean };

/** What should stand in one place, and by which words others know of it. Its own files do not count. */
const THINGS: { what: string; words: RegExp; own: RegExp }[] = [
  { what: "source: Sentry", words: /sentry/i, own: /^src\/adapters\/sources\/sentry\// },
  { what: "source: Uptime Kuma", words: /uptime-?kuma/i, own: /^src\/adapters\/sources\/uptime-kuma\// },
  { what: "source: PagerDuty", words: /pagerduty/i, own: /^src\/adapters\/sources\/pagerduty\// },
  { what: "operation: cordon", words: /\bcordon\b/, own: /\/kinds\/kubernetes-cordon\.ts$/ },
  {
    what: "operation: scale out",
    words: /scale_out|\bscaleOut\b/,
    own: /\/kinds\/kubernetes-scale-out\.ts$/,
  },
  {
    what: "operation: vacuum the journal",
    words: /vacuum_?journal/i,
    own: /\/kinds\/host-vacuum-journal\.ts$/,
  },
  {
    what: "notifier: webhook",
    words: /notifiers\/webhook|\bwebhook\.create\b/,
    own: /^src\/adapters\/notifiers\/webhook\//,
  },
  { what: "setting: verification.healthy_in_a_row", words: /healthy_in_a_row/, own: /^$/ },
  { what: "setting: execution.retry_wait", words: /retry_wait/, own: /^$/ },
];

function readTree(root: string): File[] {
  const paths = globSync(["src/**/*.ts", "test/**/*.ts", "demo/**/*.ts"], { cwd: root }).sort();
  return paths.map((path) => ({
    path,
    lines: readFileSync(join(root, path), "utf8").split("\n"),
    test: !path.startsWith("src/") || path.endsWith(".test.ts"),
  }));
}

const isComment = (line: string) => /^\s*(\/\/|\/?\*)/.test(line);
const roomOf = ({ path }: File) => path.split("/").slice(0, 2).join("/").replace(/\.ts$/, "");

function named(files: readonly File[], { words, own }: (typeof THINGS)[number]): string[] {
  return files
    .filter(({ path }) => !own.test(path))
    .filter(({ lines }) => lines.some((line) => words.test(line) && !isComment(line)))
    .map(({ path }) => path);
}

/** Functions with their lengths in lines. The formatter indents: one ends where its own indentation comes back. */
function functionsOf({ path, lines }: File): { name: string; length: number }[] {
  return lines.flatMap((line, at) => {
    const [, indent, name] =
      /^( *)(?:export )?(?:default )?(?:async )?function\*? (\w+)/.exec(line) ??
      /^( *)(?:export )?const (\w+) = (?:async )?\(/.exec(line) ??
      /^( {2,})(?:async |get |static )*(#?\w+)\(.*$/.exec(line) ??
      [];
    if (indent === undefined || name === undefined) return [];
    if (["if", "for", "while", "switch", "return", "expect", "it", "describe"].includes(name)) return [];
    const end = lines.findIndex((later, place) => place > at && later.startsWith(`${indent}}`));
    const between = lines.slice(at + 1, end);
    const isBody =
      end > at &&
      between.every((inner) => inner === "" || inner.startsWith(`${indent} `) || /^\s*\)/.test(inner));
    return isBody ? [{ name: `${path}: ${name}`, length: end - at + 1 }] : [];
  });
}

/** Circles of imports, those of types included: groups of files that reach each other. */
function circlesOf(files: readonly File[]): string[][] {
  const known = new Set(files.map(({ path }) => path));
  const imports = new Map(
    files.map(({ path, lines }) => [
      path,
      [...lines.join("\n").matchAll(/from "(\.[^"]+)"/g)]
        .map(([, target = ""]) => normalize(join(dirname(path), target)))
        .filter((target) => known.has(target)),
    ]),
  );
  const reached = (from: string) => {
    const seen = new Set<string>();
    const open = [...(imports.get(from) ?? [])];
    for (let at = open.pop(); at !== undefined; at = open.pop()) {
      if (seen.has(at)) continue;
      seen.add(at);
      open.push(...(imports.get(at) ?? []));
    }
    return seen;
  };
  const within = new Map(files.map(({ path }) => [path, reached(path)]));
  const done = new Set<string>();
  return files.flatMap(({ path }) => {
    if (done.has(path) || !within.get(path)?.has(path)) return [];
    const circle = [...(within.get(path) ?? [])].filter((other) => within.get(other)?.has(path));
    for (const one of circle) done.add(one);
    return [circle.sort()];
  });
}

/** Lines of code that stand in a run of `RUN` or more which stands elsewhere too. */
function duplicated(files: readonly File[]): { lines: number; pairs: string[] } {
  const places = new Map<string, { path: string; at: number }[]>();
  const code = files.map(({ path, lines }) => ({
    path,
    lines: lines
      .map((line) => line.trim())
      .filter((line) => line.length > 3 && !isComment(line) && !/^(import|export) .*from /.test(line)),
  }));
  for (const { path, lines } of code)
    for (let at = 0; at + RUN <= lines.length; at += 1) {
      const run = lines.slice(at, at + RUN).join("\n");
      places.set(run, [...(places.get(run) ?? []), { path, at }]);
    }
  const twice = [...places.values()].filter((all) => all.length > 1);
  const marked = new Set(
    twice.flatMap((all) =>
      all.flatMap(({ path, at }) => Array.from({ length: RUN }, (_, n) => `${path}:${at + n}`)),
    ),
  );
  const pairs = new Set(twice.map((all) => [...new Set(all.map(({ path }) => path))].join(" and ")));
  return { lines: marked.size, pairs: [...pairs].sort() };
}

/** Exports and files that nobody uses, as the linter counts them. */
function unused(root: string): number {
  const bin = join(ROOT, "node_modules/.bin");
  const { stdout, stderr } = spawnSync(join(bin, "knip"), ["--reporter", "json", "--no-progress"], {
    cwd: root,
    // It runs the configuration of the tests, which needs our own Node.
    env: { ...process.env, PATH: `${bin}:${process.env.PATH}` },
    encoding: "utf8",
    maxBuffer: 64 * 1024 * 1024,
  });
  if (!stdout.startsWith("{")) throw new Error(`knip could not count what is unused: ${stderr}`);
  const { issues = [] } = JSON.parse(stdout) as { issues?: Record<string, unknown>[] };
  const counted = ["files", "exports", "types", "duplicates"];
  return issues
    .flatMap((issue) => counted.map((kind) => (Array.isArray(issue[kind]) ? issue[kind].length : 0)))
    .reduce((sum, one) => sum + one, 0);
}

type Census = {
  things: Map<string, string[]>;
  rooms: Map<string, { files: number; lines: number }>;
  longestFiles: { name: string; length: number }[];
  longestFunctions: { name: string; length: number }[];
  circles: string[][];
  unused: number;
  duplicated: { lines: number; pairs: string[] };
};

function census(root: string): Census {
  const all = readTree(root);
  const files = all.filter(({ test }) => !test);
  const rooms = new Map<string, { files: number; lines: number }>();
  for (const file of files) {
    const room = rooms.get(roomOf(file)) ?? { files: 0, lines: 0 };
    rooms.set(roomOf(file), { files: room.files + 1, lines: room.lines + file.lines.length });
  }
  const longest = (list: { name: string; length: number }[]) =>
    list.sort((one, other) => other.length - one.length).slice(0, SHOWN);
  return {
    things: new Map(THINGS.map((thing) => [thing.what, named(files, thing)])),
    rooms,
    longestFiles: longest(files.map(({ path, lines }) => ({ name: path, length: lines.length }))),
    longestFunctions: longest(files.flatMap(functionsOf)),
    circles: circlesOf(files),
    unused: unused(root),
    duplicated: duplicated(files),
  };
}

/** The same of an earlier revision, in a folder of its own. */
function censusOf(revision: string): Census {
  const root = mkdtempSync(join(tmpdir(), "census-"));
  try {
    const archive = execFileSync("git", ["archive", revision], { cwd: ROOT, maxBuffer: 1024 * 1024 * 1024 });
    execFileSync("tar", ["x", "-C", root], { input: archive });
    symlinkSync(join(ROOT, "node_modules"), join(root, "node_modules"));
    return census(root);
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

const print = (text = "") => process.stdout.write(`${text}\n`);

function show(now: Census, before: Census | null, verbose: boolean): void {
  const cell = (value: unknown, was: unknown) => (before === null ? `${value}` : `${was ?? "-"} -> ${value}`);
  print("Other files that name a thing, of src without tests");
  for (const [what, paths] of now.things) {
    print(`  ${what.padEnd(42)} ${cell(paths.length, before?.things.get(what)?.length)}`);
    if (verbose) for (const path of paths) print(`      ${path}`);
  }
  print("\nRooms: files, lines");
  for (const room of [...new Set([...now.rooms.keys(), ...(before?.rooms.keys() ?? [])])].sort()) {
    const [is, was] = [now.rooms.get(room), before?.rooms.get(room)];
    print(
      `  ${room.padEnd(42)} ${cell(is?.files ?? "-", was?.files)}, ${cell(is?.lines ?? "-", was?.lines)}`,
    );
  }
  for (const [title, list, old] of [
    ["Longest files", now.longestFiles, before?.longestFiles],
    ["Longest functions", now.longestFunctions, before?.longestFunctions],
  ] as const) {
    print(`\n${title}${old === undefined ? "" : ` (before: ${old[0]?.length} lines, ${old[0]?.name})`}`);
    for (const { name, length } of list) print(`  ${String(length).padStart(5)} ${name}`);
  }
  print(`\nCircles of imports, of types too: ${cell(now.circles.length, before?.circles.length)}`);
  for (const circle of now.circles) print(`  ${circle.join(", ")}`);
  print(`Unused files and exports: ${cell(now.unused, before?.unused)}`);
  print(
    `Lines in runs of ${RUN} or more that stand twice: ${cell(now.duplicated.lines, before?.duplicated.lines)}`,
  );
  for (const pair of now.duplicated.pairs) print(`  ${pair}`);
}

const { values } = parseArgs({
  options: { before: { type: "string" }, verbose: { type: "boolean", default: false } },
});
show(census(ROOT), values.before === undefined ? null : censusOf(values.before), values.verbose);
