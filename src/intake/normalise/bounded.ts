import { clip } from "../../lib/clip.ts";

// Lengths in characters. Whatever reads many alerts at once reads these texts: a few hundred of several mebibytes would block the
// database for all others. The journal keeps the call itself as it came, for its retention time.
const LABELS = { each: 4_096, all: 32_768 };
const ANNOTATIONS = { each: 32_768, all: 65_536 };
const LOGGED = { each: 512, all: 4_096 };
const LONGEST_LINK = 8_192;
// Labels that others must not crowd out: `auto_repair` and `severity` can keep a playbook from running by itself.
const FIRST: readonly string[] = ["auto_repair", "alertname", "severity"];

type Texts = Readonly<Record<string, string>>;

/** Returns a text cut to `most` characters; a cut one says so at its end. */
export const clipLabel = (text: string, most = LABELS.each) =>
  text.length <= most ? text : clip(text, most);

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
      const short = clipLabel(text, each);
      if (name.length + short.length > room) return [];
      room -= name.length + short.length;
      return [[name, short] as const];
    },
  );
  return Object.fromEntries(kept);
}

/** Returns the labels that are kept of an alert; those that do not fit are left out. Lengths are in characters. */
export const keptLabels = (labels: Texts) => bounded(labels, LABELS);
export const keptAnnotations = (annotations: Texts) => bounded(annotations, ANNOTATIONS);
/** Returns the labels that the operation log keeps. */
export const labelsForLog = (labels: Texts) => bounded(labels, LOGGED);
export const keptLink = (link: string | null) => (link === null || link.length <= LONGEST_LINK ? link : null);
