import type { FindingCode } from "./codes.ts";
import type { Analyser, Draft, Facts } from "./facts.ts";
import {
  type Container,
  containersOf,
  eventFact,
  eventsOf,
  firstFacts,
  grouped,
  livePods,
  nameOf,
  podNames,
  stateFact,
} from "./pods.ts";
import { oneLine, podsText } from "./text.ts";

const WAITING = [
  "ErrImagePull",
  "ImagePullBackOff",
  "InvalidImageName",
  "ErrImageNeverPull",
  "RegistryUnavailable",
];

// Messages of registries and container runtimes. The order matters: later patterns match more texts.
const SAID: readonly [RegExp, FindingCode][] = [
  [/toomanyrequests|too many requests|rate limit|\b429\b/i, "image_rate_limited"],
  [
    /denied|unauthorized|authentication required|forbidden|no basic auth|insufficient_scope|\b40[13]\b/i,
    "image_denied",
  ],
  [
    /manifest unknown|name unknown|manifest_unknown|name_unknown|not ?found|does not exist|no such image/i,
    "image_not_found",
  ],
  [
    /dial tcp|no such host|i\/o timeout|connection re(fused|set)|handshake|deadline exceeded|unreachable|x509|misbehaving|no route|https client|\b50\d\b|\beof\b/i,
    "image_registry_unreachable",
  ],
];

const TEXTS: Partial<Record<FindingCode, { title: (image: string) => string; meaning: string }>> = {
  image_not_found: {
    title: (image) => `The image ${image} does not exist`,
    meaning:
      "The registry answers but does not have it: the name or the tag is wrong, or it was never pushed.",
  },
  image_denied: {
    title: (image) => `The registry refuses the image ${image}`,
    meaning:
      "The credentials are missing or insufficient, or the repository does not exist: look at imagePullSecrets and at the name.",
  },
  image_rate_limited: {
    title: (image) => `The registry limits how often images are pulled: ${image}`,
    meaning: "It ends when the limit is over; pull with an account, or through a mirror of your own.",
  },
  image_registry_unreachable: {
    title: (image) => `The registry of the image ${image} cannot be reached`,
    meaning:
      "Look at its name, DNS, certificate and network as seen from the nodes; restarting changes nothing.",
  },
  image_name_invalid: {
    title: (image) => `${image} is not a valid image name`,
    meaning: "The name in the pod template is wrong and must be corrected there.",
  },
  image_pull_failed: {
    title: (image) => `The image ${image} cannot be pulled`,
    meaning: "The runtime's message is in the evidence.",
  },
};

/** Returns the code for a failed pull, by its reason and messages. */
export function pullFailure(reason: string, said: string, image: string): FindingCode {
  if (reason === "InvalidImageName") return "image_name_invalid";
  if (reason === "ErrImageNeverPull") return "image_not_found";
  if (reason === "RegistryUnavailable") return "image_registry_unreachable";
  // Remove the image's name, which could match: an image may be called `denied`.
  const text = image === "" ? said : said.replaceAll(image, "");
  return SAID.find(([pattern]) => pattern.test(text))?.[1] ?? "image_pull_failed";
}

const pullEvents = (facts: Facts, { pod, spec }: Container) =>
  eventsOf(facts, "pod", nameOf(pod), "Failed", "BackOff", "InspectFailed", "ErrImageNeverPull").filter(
    ({ message = "" }) => spec?.image !== undefined && message.includes(spec.image),
  );

/** Finds images that cannot be pulled, and why. */
export const images: Analyser = (facts) => {
  const stuck = livePods(facts)
    .flatMap(containersOf)
    .filter(({ status }) => WAITING.includes(status.state?.waiting?.reason ?? ""));
  const codeOf = (one: Container): FindingCode => {
    const { reason = "", message = "" } = one.status.state?.waiting ?? {};
    const said = [message, ...pullEvents(facts, one).map((event) => event.message ?? "")].join("\n");
    return pullFailure(reason, said, one.spec?.image ?? "");
  };
  const imageOf = ({ spec, status }: Container) => spec?.image ?? status.image;
  const groups = grouped(stuck, (one) => `${codeOf(one)} ${imageOf(one)}`);
  return [...groups.values()].map((same): Draft => {
    const one = same[0] as Container;
    const code = codeOf(one);
    const text = TEXTS[code] as NonNullable<(typeof TEXTS)[FindingCode]>;
    const names = podNames(same);
    return {
      code,
      title: text.title(oneLine(imageOf(one), 200)),
      meaning: `${text.meaning} It keeps ${podsText(names)} from starting.`,
      facts: [...firstFacts(same, stateFact), ...pullEvents(facts, one).slice(0, 2).map(eventFact)],
      pods: names,
    };
  });
};
