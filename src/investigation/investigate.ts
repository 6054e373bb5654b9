import { authorise } from "../access/index.ts";
import { record } from "../audit/index.ts";
import {
  byWeight,
  couldBe,
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
import type { EvidenceTerms, Investigator } from "./types.ts";
import { configuredAs, didYouMean, nobodyKnows } from "./whom.ts";

/** Seconds that one which was told to stop has for coming back with what it has. */
const GRACE = 0.5;

type Part = Pick<Investigation, "target" | "evidence" | "findings" | "missing" | "candidates">;

// One that failed does not know whether the target is there.
const nothing = (target: OperationTarget, why: string): Part => ({
  target,
  evidence: [],
  findings: [],
  missing: [why],
});

type Look = { target: OperationTarget; labels: readonly Readonly<Record<string, string>>[] };

async function ask(one: Investigator, { target, labels }: Look, now: Date, seconds: number): Promise<Part> {
  const signal = AbortSignal.timeout(Math.max(1, seconds * 1000));
  try {
    const looking = (async () => one.investigate(target, now, signal, labels))();
    return investigation.parse(await withTimeout(seconds + GRACE, `${one.id}: reading evidence`, looking));
  } catch (error) {
    return nothing(target, `${one.id}: ${clip(messageOf(error), 500)}`);
  }
}

const isOpen = ({ candidates = [] }: Part) => candidates.length > 0;

/** Who read facts of the very kind that was asked for knows it better than who takes it for another, or for one of several. */
const knowsItself = (part: Part, asked: string | undefined) =>
  !isOpen(part) && part.evidence.length > 0 && part.target?.kind === asked;

/**
 * The parts as one, with ids of evidence that are unique in the whole; causes first. `asked` is the kind of target
 * that was asked for. Pure.
 */
export function joined(parts: readonly Part[], asked?: string): Part {
  const certain = parts.find((part) => knowsItself(part, asked));
  const open = certain === undefined ? parts.flatMap(({ candidates = [] }) => candidates) : [];
  const whole: Part = { target: certain?.target ?? null, evidence: [], findings: [], missing: [] };
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
      else whole.missing.push(`${finding.code} was left out: it rests on no evidence`);
    }
  }
  whole.findings.sort(byWeight);
  return whole;
}

/**
 * Has every investigator that knows such a target look at it, at the same time, and joins what they found:
 * evidence as `E1`, `E2`, …, causes first, redacted; audited. Changes nothing and never throws for what an
 * investigator does: one that fails or is late is a line of `missing`. Takes `terms.time` seconds at most and a
 * little for coming back; must not be called in an open transaction. `target: null`: all of them looked, and
 * it is not there.
 */
export async function investigate(
  ctx: Ctx,
  input: { incident_id: string | null } & Pick<Look, "target"> & Partial<Look>,
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
        : nothing(target, `${one.id}: it may not look at it (${refused.message})`),
    ),
  );
  if (known.length === 0)
    parts.push(nothing(target, `nothing configured can look at ${withArticle(target.kind)}`));
  const found = redactTexts({ at: now.toISOString(), ...joined(parts, target.kind) });
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
          couldBe(found.candidates) !== undefined ? "ambiguous" : found.target === null ? "not found" : "ok",
        findings: found.findings.map((one) => one.code),
        candidates: found.candidates?.length ?? 0,
        missing: found.missing.length,
        duration_ms: ctx.clock.now().getTime() - now.getTime(),
      },
    });
  });
  return found;
}

/** What is not given is not there, rather than undefined. */
function targetOf({ kind, name, namespace, cluster, host }: DiagnosisQuery): OperationTarget {
  return {
    kind,
    name,
    ...(namespace === undefined ? {} : { namespace }),
    ...(cluster === undefined ? {} : { cluster }),
    ...(host === undefined ? {} : { host }),
  };
}

/** So many targets are looked at for people at once: repairs need the same connections. */
const AT_ONCE = 4;
const looking = new Map<string, Promise<Investigation>>();

/** Whoever asks about what is being looked at gets the same answer. Throws `overloaded`. */
async function shared(about: Look, look: () => Promise<Investigation>): Promise<Investigation> {
  const key = canonicalJson(about);
  const going = looking.get(key);
  if (going !== undefined) return going;
  if (looking.size >= AT_ONCE)
    throw new AwoooiError("overloaded", `${AT_ONCE} targets are being looked at: try again in a moment.`, {
      retryAfter: 5,
    });
  const begun = look().finally(() => looking.delete(key));
  looking.set(key, begun);
  return begun;
}

/** The same target, and what of the clusters is called so, too: which of them is meant nobody has said. */
function ambiguous(target: OperationTarget, found: Investigation | null, named: readonly TargetCandidate[]) {
  const { kind, name } = found?.target ?? target;
  const inClusters =
    found?.candidates ??
    (found?.target && kind !== "unknown"
      ? [{ target: found.target, reason: `${kind} ${name} is called so` }]
      : []);
  return [...named, ...inClusters].slice(0, MOST_CANDIDATES);
}

/**
 * The same for a person who asks. A name without a kind is what is configured and called so: where that is more than
 * one, or a cluster has such a thing, too, `candidates` says what it could be. Throws `invalid` where nothing configured
 * can look at such a kind, and `not_found` where it is not there, with what is.
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
  const named = configuredAs(query, known);
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
  const { wrong, message } = nobodyKnows(query, known, investigators);
  return new AwoooiError(wrong ? "invalid" : "not_found", message);
}
