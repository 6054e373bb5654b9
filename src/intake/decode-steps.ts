import type { Decode } from "./source.ts";
import type { Decoded } from "./types.ts";

/** A decoding that rests after each alert, so that whoever drives it can let others have their turn. */
export type DecodeSteps = Generator<void, Decoded>;

/** A decoding to its end, in one go. */
function decodedAtOnce(steps: DecodeSteps): Decoded {
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
  }
}

/** How a source understands bodies with many alerts, from its decoding in steps. */
export const inSteps = (steps: (body: unknown) => DecodeSteps): Decode =>
  Object.assign((body: unknown) => decodedAtOnce(steps(body)), { steps });
