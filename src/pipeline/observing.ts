import type { Finding, Investigation } from "../contract/evidence.ts";
import type { OperationTarget } from "../contract/incident.ts";
import type { Investigator } from "../decision/index.ts";
import type { Observer } from "../verification/index.ts";

/** What an observer sees as evidence, and whether that is well. */
async function seen(observer: Observer, target: OperationTarget, now: Date): Promise<Investigation> {
  const { at, healthy, facts } = await observer.observe(target, now);
  const subject = `${target.kind}/${target.name}`;
  const evidence = facts.map(({ name, message }, index) => ({
    ...{ id: `E${index + 1}`, source: observer.id, at, subject, text: `${name}: ${message}` },
  }));
  const failing = evidence.filter((_, index) => facts[index]?.passed === false);
  const rest = (failing.length > 0 ? failing : evidence).map(({ id }) => id);
  const said: Pick<Finding, "code" | "weight" | "title" | "meaning"> | null =
    healthy === null
      ? null
      : healthy
        ? { code: "looks_well", weight: "note", title: `${subject} looks well`, meaning: "Seen now." }
        : {
            code: "not_well",
            weight: "cause",
            title: `${subject} is not well`,
            meaning: "What was looked at says so.",
          };
  const findings = said === null || rest.length === 0 ? [] : [{ ...said, evidence: rest }];
  return { at, target, evidence, findings, missing: healthy === null ? [`whether ${subject} is well`] : [] };
}

/** Looks for people at what nobody investigates and somebody observes. */
export function observing(
  observers: readonly Observer[],
  investigators: readonly Investigator[],
): readonly Investigator[] {
  return observers.map((observer) => ({
    id: observer.id,
    investigates: (target) =>
      observer.observes(target) && !investigators.some((one) => one.investigates(target)),
    investigate: (target, now) => seen(observer, target, now),
  }));
}
