import { type Node, parsePattern } from "./linear-pattern-syntax.ts";

// Each is bounded so that one look at a value costs little, whatever was written: states times characters.
const LONGEST_PATTERN = 1_000;
const MOST_STATES = 2_000;
/** Characters of a value beyond which no pattern is tried. */
export const LONGEST_VALUE = 4_096;

type Step =
  | { kind: "char"; test: (point: number) => boolean }
  | { kind: "split"; to: number[] }
  | { kind: "assert"; holds: (before: number, after: number) => boolean }
  | { kind: "match" };

/** A step goes on to the one after it, but for a split, which names where it goes. */
function program(tree: Node): Step[] {
  const steps: Step[] = [];
  const push = (step: Step): number => {
    if (steps.length >= MOST_STATES) throw new Error("the pattern is too large: its repetitions multiply");
    return steps.push(step) - 1;
  };
  const emit = (node: Node): void => {
    if (node.kind === "char" || node.kind === "assert") push(node);
    else if (node.kind === "all") for (const part of node.parts) emit(part);
    else if (node.kind === "any") emitAny(node.parts);
    else emitRepeat(node.part, node.min, node.max);
  };
  const emitAny = (parts: readonly Node[]): void => {
    const to: number[] = [];
    push({ kind: "split", to });
    const leaves = parts.map((part) => {
      to.push(steps.length);
      emit(part);
      const leave: number[] = [];
      push({ kind: "split", to: leave });
      return leave;
    });
    for (const leave of leaves) leave.push(steps.length);
  };
  const emitRepeat = (part: Node, min: number, max: number): void => {
    for (let done = 0; done < min; done += 1) emit(part);
    if (max === Number.POSITIVE_INFINITY) {
      const to: number[] = [];
      const again = push({ kind: "split", to });
      to.push(steps.length);
      emit(part);
      push({ kind: "split", to: [again] });
      to.push(steps.length);
      return;
    }
    const skips: number[][] = [];
    for (let done = min; done < max; done += 1) {
      const to = [steps.length + 1];
      push({ kind: "split", to });
      skips.push(to);
      emit(part);
    }
    for (const to of skips) to.push(steps.length);
  };
  emit(tree);
  push({ kind: "match" });
  return steps;
}

/** The steps that wait for a character, or have matched, reached from `from` without reading one. */
function reach(steps: readonly Step[], from: readonly number[], before: number, after: number): number[] {
  const seen = new Set(from);
  const found: number[] = [];
  // What is added while it is walked is walked too.
  for (const at of seen) {
    const step = steps[at];
    if (step === undefined) continue;
    if (step.kind === "split") for (const to of step.to) seen.add(to);
    else if (step.kind === "char" || step.kind === "match") found.push(at);
    else if (step.holds(before, after)) seen.add(at + 1);
  }
  return found;
}

function runs(steps: readonly Step[], value: string): boolean {
  const points = Array.from(value, (char) => char.codePointAt(0) ?? 0);
  let live = reach(steps, [0], -1, points[0] ?? -1);
  for (const [index, point] of points.entries()) {
    const next = live.flatMap((at) => {
      const step = steps[at];
      return step?.kind === "char" && step.test(point) ? [at + 1] : [];
    });
    if (next.length === 0) return false;
    live = reach(steps, next, point, points[index + 1] ?? -1);
  }
  return live.some((at) => steps[at]?.kind === "match");
}

/**
 * A test whether the whole of a value fits the pattern, in RE2's syntax, as Go's `^(?:…)$` does, in time
 * linear in the value: JavaScript's own expressions backtrack, and values come from whoever sends alerts.
 * Throws an error with a sentence for what RE2 does not accept either, and for what is too large.
 */
export function linearPattern(pattern: string): (value: string) => boolean {
  if (pattern.length > LONGEST_PATTERN)
    throw new Error(`the pattern is longer than ${LONGEST_PATTERN} characters`);
  const steps = program(parsePattern(pattern));
  // Most are lists of names, for which a look is enough.
  if (/^[\w/@ :-]+(\|[\w/@ :-]+)*$/.test(pattern)) {
    const names = new Set(pattern.split("|"));
    return (value) => names.has(value);
  }
  return (value) => runs(steps, value);
}
