import { readFileSync } from "node:fs";
import { parseDocument } from "yaml";
import { z } from "zod";
import { AwoooiError, type FieldError, messageOf } from "../../lib/error.ts";
import { alertInput } from "../alert-input.ts";
import type { Session } from "../command.ts";
import { type Explanation, explain, type RuleSources, rulesFrom } from "./explain.ts";

const expectation = z
  .strictObject({
    category: z.string(),
    notification_type: z.string(),
    /** The classification rule. */
    rule: z.string(),
    heartbeat: z.boolean(),
    severity: z.string().nullable(),
    target: z.object({ kind: z.string(), name: z.string() }).nullable(),
    /** The rule that decides; null when nothing is decided. */
    decision: z.string().nullable(),
    operation: z.string().nullable(),
    risk: z.string().nullable(),
    /** `ask`, `manual` or `none`. */
    policy: z.string().nullable(),
  })
  .partial()
  .refine((one) => Object.keys(one).length > 0, "expects nothing");
type Expectation = z.infer<typeof expectation>;

const testCase = z.strictObject({
  name: z.string().optional(),
  alert: alertInput,
  /** Names of processes that the server would supervise. */
  processes: z.array(z.string()).default([]),
  /** Codes of findings about the target. */
  findings: z.array(z.string()).default([]),
  /** Names of hosts that the server would reach. */
  hosts: z.array(z.string()).default([]),
  expect: expectation,
});
const cases = z.array(testCase).min(1, "there is no case");

export type TestOptions = RuleSources & { json?: boolean };

type Difference = { field: string; expected: unknown; got: unknown };
type TestResult = { file: string; case: number; name: string; differences: Difference[] };

const SHIPPED = new URL("../../decision/rules.test.yaml", import.meta.url);

function casesIn(file: string | URL): z.infer<typeof cases> {
  const fail = (errors: FieldError[]) =>
    new AwoooiError("invalid", `The test cases in ${file} are not valid.`, { errors });
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    throw new AwoooiError("invalid", `The file cannot be read: ${messageOf(error)}.`);
  }
  const document = parseDocument(text);
  if (document.errors.length > 0) throw fail(document.errors.map(({ message }) => ({ path: "", message })));
  const parsed = cases.safeParse(document.toJS());
  if (parsed.success) return parsed.data;
  throw fail(parsed.error.issues.map(({ path, message }) => ({ path: path.join("."), message })));
}

function actual({ alert, classification, operation_target: target, decision, policy }: Explanation) {
  const { category, notification_type, rule, heartbeat } = classification;
  return {
    category,
    notification_type,
    rule,
    heartbeat,
    severity: alert.severity,
    target: target === null ? null : { kind: target.kind, name: target.name },
    decision: decision?.rule_id ?? null,
    operation: decision?.operation.kind ?? null,
    risk: decision?.risk_level ?? null,
    policy: policy?.outcome ?? null,
  } satisfies Record<keyof Expectation, unknown>;
}

/** Runs the cases of a file, or the shipped ones if none is named. Throws `invalid` for a file without valid cases. */
function testRules(file: string | undefined, sources: RuleSources): TestResult[] {
  const rules = rulesFrom(sources);
  return casesIn(file ?? SHIPPED).map((one, index) => {
    const { processes, hosts, findings } = one;
    const got = actual(explain({ ...one.alert, processes, hosts, findings }, rules));
    const differences = Object.entries(one.expect).flatMap(([field, expected]) => {
      const value = got[field as keyof Expectation];
      return JSON.stringify(value) === JSON.stringify(expected) ? [] : [{ field, expected, got: value }];
    });
    const name = one.name ?? one.alert.labels.alertname ?? "";
    return { file: file ?? "the shipped cases", case: index + 1, name, differences };
  });
}

/** Runs `rules test`: prints the differences, and sets exit code 1 when there are any. */
export function runRuleTests(session: Session, files: readonly string[], options: TestOptions): void {
  const results = (files.length > 0 ? files : [undefined]).flatMap((file) => testRules(file, options));
  const failed = results.filter((one) => one.differences.length > 0);
  if (failed.length > 0) session.exit(1);
  const passed = results.length - failed.length;
  if (options.json) {
    session.out.json(JSON.stringify({ passed, failed }));
    return;
  }
  for (const { file, case: number, name, differences } of failed) {
    session.out.line(`✗ ${name} (${file}, case ${number})`, "red");
    for (const { field, expected, got } of differences) {
      session.out.line(`    ${field}`);
      session.out.line(`    - ${JSON.stringify(expected)}`, "green");
      session.out.line(`    + ${JSON.stringify(got)}`, "red");
    }
  }
  session.out.line(`${passed} passed, ${failed.length} failed`, failed.length > 0 ? "red" : "green");
}
