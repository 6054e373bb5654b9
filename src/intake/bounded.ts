import { clip } from "../lib/clip.ts";

// Everything that looks at many alerts at once reads these texts: a few hundred of some mebibytes would keep the
// database and everybody else waiting. The call itself stays in the journal as it came, for its time.
const LABELS = { each: 4_096, all: 32_768 };
const ANNOTATIONS = { each: 32_768, all: 65_536 };
const LOGGED = { each: 512, all: 4_096 };
const LONGEST_LINK = 8_192;

type Texts = Readonly<Record<string, string>>;

/** What keeps a playbook from running by itself is not lost behind other labels. */
const isNarrowing = ([name]: readonly [string, string]) => name === "auto_repair" || name === "severity";

/** The beginning of a text that is longer than `most` characters, which says so at its end. */
export const cut = (text: string, most = LABELS.each) => (text.length <= most ? text : clip(text, most));

function bounded(texts: Texts, { each, all }: typeof LABELS): Record<string, string> {
  let total = 0;
  let fits = true;
  for (const [name, text] of Object.entries(texts)) {
    total += name.length + text.length;
    fits &&= text.length <= each && total <= all;
  }
  if (fits) return texts;
  let room = all;
  const entries = Object.entries(texts);
  const kept = [...entries.filter(isNarrowing), ...entries.filter((one) => !isNarrowing(one))].flatMap(
    ([name, text]) => {
      const short = cut(text, each);
      if (name.length + short.length > room) return [];
      room -= name.length + short.length;
      return [[name, short] as const];
    },
  );
  return Object.fromEntries(kept);
}

/** What is kept of an alert's own texts: what does not fit is left out. Lengths are characters. */
export const keptLabels = (labels: Texts) => bounded(labels, LABELS);
export const keptAnnotations = (annotations: Texts) => bounded(annotations, ANNOTATIONS);
/** What the operation log keeps of them: whether it may be repaired first of all. */
export const labelsForLog = (labels: Texts) => {
  const { auto_repair, ...others } = labels;
  return bounded(auto_repair === undefined ? others : { auto_repair, ...others }, LOGGED);
};
export const keptLink = (link: string | null) => (link === null || link.length <= LONGEST_LINK ? link : null);
