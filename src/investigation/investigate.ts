import { authorise } from "../access/index.ts";
import { record } from "../audit/index.ts";
import {
  byWeight,
  candidatesText,
  type DiagnosisQuery,
  type Investigation,
  investigation,
  MOST_CANDIDATES,
  type TargetCandidate,
} from "../contract/evidence.ts";
import type { OperationTarget } from "../contract/incident.ts";
import type { Ctx } from "../db/ctx.ts";
import { transaction } from "../db/transaction.ts";
import type { KnownTargets } from "../incident/index.ts";
import { canonicalJson } from "../lib/canonical-json.ts";
import { clip } from "../lib/clip.ts";
import { AwoooiError, messageOf } from "../lib/error.ts";
import { redactTexts } from "../lib/redact.ts";
import { withTimeout } from "../lib/wait.ts";
import { withArticle } from "../lib/words.ts";
import { didYouMean, targetsNamed, unknownTarget } from "./configured-targets.ts";
import type { EvidenceTerms, Investigator } from "./types.ts";

/** Seconds that an investigator has, after its signal was aborted, to return what it has. */
const GRACE = 0.5;

type PartialInvestigation = Pick<
  Investigation,
  "target" | "evidence" | "findings" | "missing" | "candidates"
>;

// `target` is not null: an investigator that failed does not know whether the target exists.
const nothing = (target: OperationTarget, why: string): PartialInvestigation => ({
  target,
  evidence: [],
  findings: [],
  missing: [why],
});

type InvestigationInput = { target: OperationTarget; labels: readonly Readonly<Record<string, string>>[] };

async function ask(
  one: Investigator,
  { target, labels }: InvestigationInput,
  now: Date,
  seconds: number,
): Promise<PartialInvestigation> {
  const signal = AbortSignal.timeout(Math.max(1, seconds * 1000));
  try {
    const looking = (async () => one.investigate(target, now, signal, labels))();
    return investigation.parse(await withTimeout(seconds + GRACE, `${one.id}: reading evidence`, looking));
  } catch (error) {
    return nothing(target, `${one.id}: ${clip(messageOf(error), 500)}`);
  }
}

const isOpen = ({ candidates = [] }: PartialInvestigation) => candidates.length > 0;

/** Returns whether a part has facts of the kind asked for and no candidates: it decides over parts of another kind. */
const isCertain = (part: PartialInvestigation, asked: string | undefined) =>
  !isOpen(part) && part.evidence.length > 0 && part.target?.kind === asked;

/**
 * Joins the parts into one, renumbering evidence so that its ids are unique; causes first. `asked` is the kind of target
 * that was asked for. Pure.
 */
export function joinParts(parts: readonly PartialInvestigation[], asked?: string): PartialInvestigation {
  const certain = parts.find((part) => isCertain(part, asked));
  const open = certain === undefined ? parts.flatMap(({ candidates = [] }) => candidates) : [];
  const whole: PartialInvestigation = {
    target: certain?.target ?? null,
    evidence: [],
    findings: [],
    missing: [],
  };
  if (open.length > 0) {
    whole.candidates = open.slice(0, MOST_CANDIDATES);
    whole.target = parts.find(isOpen)?.target ?? null;
  }
  for (const part of parts) {
    whole.target ??= part.target;
    const before = whole.evidence.length;
    const numbered = part.evidence.map((item, index) => ({ ...item, id: `E${before + index + 1}` }));
    const ids = new Map(part.evidence.map(({ id }, index) => [id, `E${before + index + 1}`]));
    whole.evidence.push(...numbered);
    whole.missing.push(...part.missing);
    for (const finding of part.findings) {
      const evidence = finding.evidence.flatMap((id) => ids.get(id) ?? []);
      if (evidence.length > 0) whole.findings.push({ ...finding, evidence });
      else whole.missing.push(`${finding.code} was left out: it has no evidence`);
    }
  }
  whole.findings.sort(byWeight);
  return whole;
}

/**
 * Runs every investigator that knows such a target concurrently and joins their results: evidence as `E1`, `E2`, …,
 * causes first, redacted; audited. Changes nothing and never throws for what an investigator does: one that fails or
 * is late becomes a line of `missing`. Takes at most `terms.time` seconds plus a short grace period; must not be called
 * in an open transaction. `target: null`: all of them looked, and the target does not exist.
 */
export async function investigate(
  ctx: Ctx,
  input: { incident_id: string | null } & Pick<InvestigationInput, "target"> & Partial<InvestigationInput>,
  investigators: readonly Investigator[],
  terms: EvidenceTerms,
): Promise<Investigation> {
  authorise(ctx.actor, "investigate", { people: "viewer", system: ["pipeline", "sweep"] });
  const { target, incident_id, labels = [] } = input;
  const now = ctx.clock.now();
  const known = investigators.filter((one) => one.investigates(target));
  const judged = known.map((one) => ({ one, refused: terms.refusal(one.tool) }));
  const parts = await Promise.all(
    judged.map(({ one, refused }) =>
      refused === undefined
        ? ask(one, { target, labels }, now, terms.time)
        : nothing(target, `${one.id}: reading it was refused (${refused.message})`),
    ),
  );
  if (known.length === 0)
    parts.push(nothing(target, `no configured investigator can inspect ${withArticle(target.kind)}`));
  const found = redactTexts({ at: now.toISOString(), ...joinParts(parts, target.kind) });
  await transaction(ctx, async (tx) => {
    record(tx, {
      action: "gateway.call",
      subject: incident_id ?? `${target.kind}/${target.name}`,
      data: {
        caller: "planner",
        tool: "investigate",
        what: "investigate",
        incident_id,
        operation: { kind: "investigate", target, parameters: {} },
        investigators: judged.flatMap(({ one, refused }) => (refused === undefined ? one.id : [])),
        refused: judged.flatMap(({ one, refused }) =>
          refused === undefined ? [] : { investigator: one.id, gate: refused.gate, code: refused.code },
        ),
        outcome:
          candidatesText(found.candidates) !== undefined
            ? "ambiguous"
            : found.target === null
              ? "not found"
              : "ok",
        findings: found.findings.map((one) => one.code),
        candidates: found.candidates?.length ?? 0,
        missing: found.missing.length,
        duration_ms: ctx.clock.now().getTime() - now.getTime(),
      },
    });
  });
  return found;
}

/** Returns the query's target; fields that are not given are omitted rather than undefined. */
function targetOf({ kind, name, namespace, cluster, host }: DiagnosisQuery): OperationTarget {
  return {
    kind,
    name,
    ...(namespace === undefined ? {} : { namespace }),
    ...(cluster === undefined ? {} : { cluster }),
    ...(host === undefined ? {} : { host }),
  };
}

/** Most targets investigated for people at once: repairs need the same connections. */
const AT_ONCE = 4;
const looking = new Map<string, Promise<Investigation>>();

/** Shares one investigation among concurrent requests for the same target. Throws `overloaded`. */
async function shared(about: InvestigationInput, look: () => Promise<Investigation>): Promise<Investigation> {
  const key = canonicalJson(about);
  const going = looking.get(key);
  if (going !== undefined) return going;
  if (looking.size >= AT_ONCE)
    throw new AwoooiError("overloaded", `${AT_ONCE} targets are being investigated: try again in a moment.`, {
      retryAfter: 5,
    });
  const begun = look().finally(() => looking.delete(key));
  looking.set(key, begun);
  return begun;
}

/** Returns the configured targets of the name, and those that investigators found: the query may mean any of them. */
function ambiguous(target: OperationTarget, found: Investigation | null, named: readonly TargetCandidate[]) {
  const { kind, name } = found?.target ?? target;
  const inClusters =
    found?.candidates ??
    (found?.target && kind !== "unknown"
      ? [{ target: found.target, reason: `${kind} ${name} has this name` }]
      : []);
  return [...named, ...inClusters].slice(0, MOST_CANDIDATES);
}

/**
 * Investigates a target for a person who asks. A name without a kind means the configured target of that name: if there
 * are several, or a cluster has one too, `candidates` lists them. Throws `invalid` where nothing configured can look at
 * such a kind, and `not_found`, with what exists, where the target does not.
 */
export async function diagnose(
  ctx: Ctx,
  query: DiagnosisQuery,
  investigators: readonly Investigator[],
  terms: EvidenceTerms,
  known: KnownTargets = { processes: [] },
): Promise<Investigation> {
  authorise(ctx.actor, "diagnose", { people: "viewer" });
  const asked = targetOf(query);
  const looks = (target: OperationTarget) => investigators.some((one) => one.investigates(target));
  const { mountpoint, device } = query;
  const labels = [
    { ...(mountpoint === undefined ? {} : { mountpoint }), ...(device === undefined ? {} : { device }) },
  ];
  const look = (target: OperationTarget) =>
    shared({ target, labels }, () =>
      investigate(ctx, { incident_id: null, target, labels }, investigators, terms),
    );
  const named = targetsNamed(query, known);
  const found = looks(asked) ? await look(asked) : null;
  const [only] = named;
  if (only !== undefined) {
    const candidates = ambiguous(asked, found, named);
    if (candidates.length === 1) {
      if (!looks(only.target)) throw refused({ ...query, ...only.target }, known, investigators);
      return look(only.target);
    }
    const at = ctx.clock.now().toISOString();
    return { at, target: asked, evidence: [], findings: [], missing: found?.missing ?? [], candidates };
  }
  if (found === null) throw refused(query, known, investigators);
  if (found.target === null) {
    const why = found.missing.length === 0 ? "" : ` ${found.missing.join("; ")}.`;
    const what = query.kind === "unknown" ? "target" : query.kind;
    throw new AwoooiError("not_found", `There is no ${what} ${query.name}.${why}${didYouMean(query, known)}`);
  }
  return found;
}

function refused(query: DiagnosisQuery, known: KnownTargets, investigators: readonly Investigator[]) {
  const { wrong, message } = unknownTarget(query, known, investigators);
  return new AwoooiError(wrong ? "invalid" : "not_found", message);
}
