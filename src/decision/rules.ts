import { readFileSync } from "node:fs";
import { parseDocument } from "yaml";
import { z } from "zod";
import { type Risk, risk } from "../contract/common.ts";
import type { Finding } from "../contract/evidence.ts";
import type { OperationTarget } from "../contract/incident.ts";
import { AwoooiError, type FieldError, messageOf } from "../lib/error.ts";
import { withArticle } from "../lib/words.ts";
import {
  type Operation,
  type OperationKind,
  operation,
  toolName,
  toolServerName,
} from "../operation/index.ts";

const KINDS = operation.options.map((option) => option.shape.kind.value) as [
  OperationKind,
  ...OperationKind[],
];

const words = z.array(z.string().regex(/^[a-z0-9_/-]+$/, "keywords must be lower case"));
const codes = z.array(z.string().regex(/^[a-z0-9_]+$/, "is not the code of a finding")).min(1);

const rule = z
  .strictObject({
    id: z.string().regex(/^[a-z0-9_]+$/),
    targets: z.array(z.string()).min(1),
    /** At least one keyword must be in an alert name; in the same name also one word of `with`, and none of `without`. */
    keywords: words.optional(),
    with: words.min(1).optional(),
    without: words.min(1).optional(),
    /** Codes of findings: at least one of `findings` must be present, and none of `unless`. */
    findings: codes.optional(),
    unless: codes.optional(),
    propose: z.enum(KINDS),
    /** The tool of a `tool.call`; every other operation acts on the alert's target. */
    tool: z.strictObject({ server: toolServerName, name: toolName }).optional(),
    parameters: z.record(z.string(), z.unknown()).default({}),
    risk,
    reasoning: z.string().min(1),
  })
  .refine(({ propose, tool }) => (propose === "tool.call") === (tool !== undefined), {
    path: ["tool"],
    message: "must be given with `propose: tool.call` and only then",
  })
  .refine((one) => one.keywords !== undefined || (one.with ?? one.without) === undefined, {
    path: ["keywords"],
    message: "are required beside `with` or `without`",
  });
type Rule = z.infer<typeof rule>;

/** Ordered rules; the last one fits every alert, so that there is always an answer. */
export type Rules = readonly Rule[];

const rules = z
  .array(rule)
  .refine((list) => new Set(list.map((one) => one.id)).size === list.length, "two rules have the same id")
  .refine((list) => {
    const last = list.at(-1);
    if (last?.propose !== "investigate" || !last.targets.includes("any")) return false;
    return [last.keywords, last.findings, last.unless].every((one) => one === undefined);
  }, "the last rule must be `targets: [any]`, without keywords, findings or `unless`, and propose `investigate`");

/** Parses the rules in `yaml`; throws `invalid` with every error in them. `name` is the file's name for messages. */
export function parseRules(yaml: string, name: string): Rules {
  const invalid = (errors: FieldError[]) =>
    new AwoooiError("invalid", `The rules in ${name} are not valid.`, { errors });
  const document = parseDocument(yaml);
  if (document.errors.length > 0)
    throw invalid(document.errors.map(({ message }) => ({ path: "", message })));
  const result = rules.safeParse(document.toJS());
  if (result.success) return result.data;
  throw invalid(result.error.issues.map((issue) => ({ path: issue.path.join("."), message: issue.message })));
}

/** Reads the rules of `file`, or the shipped ones without it. Throws `invalid`. */
export function loadRules(file?: string): Rules {
  const path = file ?? new URL("./rules.yaml", import.meta.url);
  let yaml: string;
  try {
    yaml = readFileSync(path, "utf8");
  } catch (error) {
    throw new AwoooiError("invalid", `The rules in ${file} cannot be read: ${messageOf(error)}.`);
  }
  return parseRules(yaml, file ?? "rules.yaml");
}

/** What a rule proposes: its operation, on the incident's target or with a tool. */
export type Proposal = {
  rule_id: string;
  operation: Operation;
  risk_level: Risk;
  reasoning: string;
  /** Why this rule and no other, in words. */
  because: string;
};

type RuleInput = {
  alert_names: readonly string[];
  target: OperationTarget | null;
  /** Findings about the target; absent: no evidence was gathered. */
  findings?: readonly (Pick<Finding, "code" | "title" | "evidence"> & Partial<Pick<Finding, "weight">>)[];
};

function foundKeyword(one: Rule, { alert_names }: RuleInput, kind: string): string | undefined {
  const { keywords = [], with: further, without = [] } = one;
  const names = alert_names
    .map((name) => name.toLowerCase())
    .filter((name) => !without.some((word) => name.includes(word)));
  for (const keyword of keywords) {
    for (const name of names.filter((it) => it.includes(keyword))) {
      const also = further?.find((word) => name.includes(word));
      if (further !== undefined && also === undefined) continue;
      const and = also === undefined || also === keyword ? "" : ` and "${also}"`;
      return `the target is ${withArticle(kind)} and the alert name contains "${keyword}"${and}`;
    }
  }
  return undefined;
}

// A finding of weight `note` explains nothing, so only operations that change nothing may follow from it.
const CHANGES_NOTHING: readonly OperationKind[] = ["investigate", "none"];

function foundFinding(one: Rule, { findings = [] }: RuleInput): string | undefined {
  // Findings are sorted causes first, so the reason given is the most important one that matches.
  const counts = findings.filter(({ weight }) => weight !== "note" || CHANGES_NOTHING.includes(one.propose));
  const found = counts.find(({ code }) => one.findings?.includes(code));
  if (found === undefined) return undefined;
  const ids = found.evidence.length === 0 ? "" : ` (${found.evidence.join(", ")})`;
  return `the evidence shows ${found.code}: ${found.title}${ids}`;
}

/** Returns why a rule fits, in words; undefined unless every condition of it is met. */
function fits(one: Rule, about: RuleInput): string | undefined {
  const kind = about.target?.kind ?? "none";
  if (!one.targets.includes("any") && !one.targets.includes(kind)) return undefined;
  if (about.findings?.some(({ code }) => one.unless?.includes(code))) return undefined;
  const asked = [
    ...(one.findings === undefined ? [] : [foundFinding(one, about)]),
    ...(one.keywords === undefined ? [] : [foundKeyword(one, about, kind)]),
  ];
  if (asked.includes(undefined)) return undefined;
  return asked.length === 0 ? "no other rule fits" : asked.join(", and ");
}

const toolTarget = ({ server, name }: NonNullable<Rule["tool"]>) => ({ kind: "tool", name, host: server });

function proposalOf(one: Rule, about: RuleInput): Proposal | undefined {
  const because = fits(one, about);
  if (because === undefined) return undefined;
  const parsed = operation.safeParse({
    kind: one.propose,
    target: one.tool === undefined ? about.target : toolTarget(one.tool),
    parameters: one.parameters,
  });
  // A rule whose operation cannot act on this target does not fit.
  if (!parsed.success) return undefined;
  const { id, risk: risk_level, reasoning } = one;
  return { rule_id: id, operation: parsed.data, risk_level, reasoning, because };
}

/** Returns the proposals of all rules that fit, in order: the first decides. */
export function fittingRules(list: Rules, about: RuleInput): Proposal[] {
  return list.flatMap((one) => proposalOf(one, about) ?? []);
}

/** Returns the proposal of the first rule that fits; the last rule proposes `investigate`. Pure and total. */
export function propose(list: Rules, about: RuleInput): Proposal {
  for (const one of list) {
    const proposal = proposalOf(one, about);
    if (proposal !== undefined) return proposal;
  }
  throw new Error("the last rule fits everything");
}
