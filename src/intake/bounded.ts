import { clip } from "../lib/clip.ts";

// Everything that looks at many alerts at once reads these texts: a few hundred of some mebibytes would keep the
// database and everybody else waiting. The call itself stays in the journal as it came, for its time.
const LABELS = { each: 4_096, all: 32_768 };
const ANNOTATIONS = { each: 32_768, all: 65_536 };
const LOGGED = { each: 512, all: 4_096 };
const LONGEST_LINK = 8_192;
// What others, however many and large, must not push out: the first and the last keep a playbook from running by itself.
const FIRST: readonly string[] = ["auto_repair", "alertname", "severity"];

type Texts = Readonly<Record<string, string>>;

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
  const first = FIRST.flatMap((name) =>
    Object.hasOwn(texts, name) ? [[name, texts[name] ?? ""] as const] : [],
  );
  const kept = [...first, ...Object.entries(texts).filter(([name]) => !FIRST.includes(name))].flatMap(
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
/** What the operation log keeps of them. */
export const labelsForLog = (labels: Texts) => bounded(labels, LOGGED);
export const keptLink = (link: string | null) => (link === null || link.length <= LONGEST_LINK ? link : null);
