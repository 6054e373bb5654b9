import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { fixed, print, table } from "./report.ts";

const ROOT = join(import.meta.dirname, "../..");

/** What Vitest's JSON reporter writes, as far as it is read here; times in milliseconds. */
type Written = {
  startTime: number;
  numTotalTests: number;
  numFailedTests: number;
  testResults: { name: string; startTime: number; endTime: number }[];
};

/** Seconds of each file, in all the projects that run it, of the whole run, and how many tests there were. */
type Times = { files: Map<string, number>; whole: number; tests: number; failed: number };

function read(report: string, root: string): Times {
  const { testResults, startTime, numTotalTests, numFailedTests } = JSON.parse(
    readFileSync(report, "utf8"),
  ) as Written;
  const files = new Map<string, number>();
  for (const one of testResults) {
    const file = relative(root, one.name);
    files.set(file, (files.get(file) ?? 0) + (one.endTime - one.startTime) / 1000);
  }
  const end = Math.max(...testResults.map((one) => one.endTime));
  return { files, whole: (end - startTime) / 1000, tests: numTotalTests, failed: numFailedTests };
}

/** Runs the whole suite of the checkout in `root` with its own Vitest and configuration. */
function measure(root: string, folder: string): Times {
  const report = join(folder, "report.json");
  const bin = join(root, "node_modules/.bin");
  const args = ["run", "--reporter=default", "--reporter=json", `--outputFile=${report}`];
  const env = { ...process.env, PATH: `${bin}:${process.env.PATH}` };
  spawnSync(join(bin, "vitest"), args, { cwd: root, env, stdio: ["ignore", 2, 2] });
  return read(report, root);
}

/** The same of an earlier revision, in a checkout of its own. */
function measureRevision(revision: string, folder: string): Times {
  const root = join(folder, "before");
  execFileSync("git", ["worktree", "add", "--detach", root, revision], { cwd: ROOT, stdio: "inherit" });
  try {
    execFileSync("npm", ["install"], { cwd: root, stdio: ["ignore", 2, 2] });
    return measure(root, folder);
  } finally {
    execFileSync("git", ["worktree", "remove", "--force", root], { cwd: ROOT, stdio: "inherit" });
  }
}

const shown = (seconds: number | undefined) => (seconds === undefined ? "-" : fixed(seconds, 1));

/** One row for each file, longest first; with an earlier run beside it, the longest of either. */
function show(now: Times, before: Times | null): void {
  const names = [...new Set([...now.files.keys(), ...(before?.files.keys() ?? [])])];
  const longest = (file: string) => Math.max(now.files.get(file) ?? 0, before?.files.get(file) ?? 0);
  names.sort((one, other) => longest(other) - longest(one));
  const cells = (one: number | undefined, other: number | undefined) =>
    before === null ? [shown(one)] : [shown(other), shown(one), other && one ? fixed(one / other, 2) : "-"];
  const sum = ({ files }: Times) => [...files.values()].reduce((total, one) => total + one, 0);
  table(before === null ? ["file", "seconds"] : ["file", "before, s", "now, s", "ratio"], [
    ...names.map((file) => [file, ...cells(now.files.get(file), before?.files.get(file))]),
    ["all files", ...cells(sum(now), before === null ? undefined : sum(before))],
    ["from start to end", ...cells(now.whole, before?.whole)],
    ["tests", ...(before === null ? [] : [String(before.tests)]), String(now.tests)],
    ["failed", ...(before === null ? [] : [String(before.failed)]), String(now.failed)],
  ]);
}

/**
 * Where the suite's time goes, file by file. `--before REVISION` runs the suite of an earlier commit too, on the same
 * machine, and prints both with their ratio; `--before REPORT` takes what Vitest's JSON reporter wrote of it.
 */
export async function suite(): Promise<void> {
  const at = process.argv.indexOf("--before");
  const given = at === -1 ? undefined : process.argv[at + 1];
  const folder = mkdtempSync(join(tmpdir(), "awoooi-suite-"));
  try {
    let before: Times | null = null;
    if (given !== undefined && existsSync(given)) {
      const { testResults } = JSON.parse(readFileSync(given, "utf8")) as Written;
      // The checkout that it was written in, by a file that every one has.
      const marker = testResults.find(({ name }) => name.endsWith("/test/architecture.test.ts"));
      before = read(given, marker?.name.replace("/test/architecture.test.ts", "") ?? ROOT);
    } else if (given !== undefined) before = measureRevision(given, folder);
    const now = measure(ROOT, folder);
    show(now, before);
    if (now.failed > 0) print("Times of a run with failures say little.");
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
