/**
 * Runs test files again and again, each time with another seed, and counts what fails: a test that fails by chance
 * is a fault. As a command: `--runs N` (20), `--load N` busy processes beside it (0), `--all` for the whole suite on
 * both servers; else the files named, or those that wait for something, start a process or kill one.
 */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { existsSync, globSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { parseArgs } from "node:util";

const ROOT = join(import.meta.dirname, "../..");
const VITEST = join(ROOT, "node_modules/.bin/vitest");

/** What a test that depends on time or on other processes has in its text. */
const DEPENDS =
  /\b(until|eventually|well|spawn|execFile|kill|startTestApp|startServer|start(Idle)?\w*(Engine|Cluster|Stage|Redis|Sshd|Alertmanager|Prometheus|Child)|EmbeddedFixture|FakeServer|Year|Fuzz|Journeys)\b[(.]|setTimeout|\bwait\(|child_process/;

function dependent(): string[] {
  const files = globSync(["src/**/*.test.ts", "test/**/*.test.ts"], { cwd: ROOT });
  return files.filter((file) => DEPENDS.test(readFileSync(join(ROOT, file), "utf8"))).sort();
}

type Report = {
  numPassedTests: number;
  numFailedTests: number;
  numTotalTests: number;
  success: boolean;
  testResults: {
    name: string;
    assertionResults: { status: string; fullName: string; failureMessages: string[] }[];
  }[];
};

const tell = (line: string) => process.stdout.write(`${line}\n`);

/** One run; what failed in it, by file and test. */
function once(files: readonly string[], run: number, folder: string): string[] {
  const report = join(folder, `${run}.json`);
  const args = ["run", "--reporter=json", `--outputFile=${report}`, "--no-color"];
  const env: NodeJS.ProcessEnv = { ...process.env };
  delete env.AWOOOI_TEST_SEED;
  const begun = performance.now();
  const { status, stderr } = spawnSync(process.execPath, [VITEST, ...args, ...files], {
    cwd: ROOT,
    env,
    encoding: "utf8",
    stdio: ["ignore", "ignore", "pipe"],
    maxBuffer: 256 * 1024 * 1024,
  });
  if (!existsSync(report)) {
    const fault = `before any test ended, with ${status}:\n${stderr.slice(-4_000)}`;
    tell(`run ${run} failed: ${fault}`);
    return [fault];
  }
  const read = JSON.parse(readFileSync(report, "utf8")) as Report;
  const failed = read.testResults.flatMap(({ name, assertionResults }) =>
    assertionResults
      .filter((one) => one.status === "failed")
      .map((one) => `${relative(ROOT, name)}: ${one.fullName}\n${one.failureMessages.join("\n")}`),
  );
  // An error outside of any test fails a run of which every test passes.
  if (status !== 0 && failed.length === 0) failed.push(`outside of a test:\n${stderr.slice(-4_000)}`);
  const seconds = ((performance.now() - begun) / 1000).toFixed(0);
  tell(`run ${run}: ${read.numPassedTests} of ${read.numTotalTests} tests passed, ${seconds} s`);
  for (const one of failed) tell(`  failed: ${one}`);
  return failed;
}

/** Processes that do nothing as quickly as they can. */
function startLoad(count: number): ChildProcess[] {
  return Array.from({ length: count }, () =>
    spawn(process.execPath, ["-e", "for(;;);"], { stdio: "ignore" }),
  );
}

/** A whole number of an option; anything else would pass for a run in which nothing failed. */
function wholeNumber(option: string, text: string, least: number): number {
  if (/^\d{1,6}$/.test(text) && Number(text) >= least) return Number(text);
  throw new Error(`--${option} takes a whole number from ${least} on, not "${text}"`);
}

function main(): void {
  const { values, positionals } = parseArgs({
    options: {
      runs: { type: "string", default: "20" },
      load: { type: "string", default: "0" },
      all: { type: "boolean", default: false },
    },
    allowPositionals: true,
  });
  const runs = wholeNumber("runs", values.runs, 1);
  const busy = wholeNumber("load", values.load, 0);
  const chosen = positionals.length > 0 ? positionals : dependent();
  const files = values.all ? [] : ["--project", "postgresql-18", ...chosen];
  const folder = mkdtempSync(join(tmpdir(), "awoooi-repeat-"));
  const load = startLoad(busy);
  try {
    tell(
      `${runs} runs of ${values.all ? "the whole suite" : `${chosen.length} files`} beside a load of ${values.load}`,
    );
    let green = 0;
    const failures = new Map<string, number>();
    for (let run = 1; run <= runs; run += 1) {
      const failed = once(files, run, folder);
      if (failed.length === 0) green += 1;
      for (const one of failed) {
        const [name = ""] = one.split("\n");
        failures.set(name, (failures.get(name) ?? 0) + 1);
      }
    }
    tell(`${green} of ${runs} runs green`);
    for (const [name, count] of failures) tell(`  ${count} times: ${name}`);
    if (green < runs) process.exitCode = 1;
  } finally {
    for (const one of load) one.kill("SIGKILL");
    rmSync(folder, { recursive: true, force: true });
  }
}

if (import.meta.main) main();
