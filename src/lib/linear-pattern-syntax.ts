type Assert = { kind: "assert"; holds: (before: number, after: number) => boolean };
type Char = { kind: "char"; test: (point: number) => boolean };
/** A pattern: one character, all parts in a row, any of them, one repeated, or what must hold between two. */
export type Node =
  | Char
  | Assert
  | { kind: "all"; parts: Node[] }
  | { kind: "any"; parts: Node[] }
  | { kind: "repeat"; part: Node; min: number; max: number };

type Flags = { i: boolean; m: boolean; s: boolean };

const MOST_REPEATS = 1_000;
const DEEPEST = 100;
const NEWLINE = 10;

// RE2's classes are of ASCII. Each is the inside of a class of JavaScript's.
const PERL: Record<string, string> = { d: "0-9", w: "0-9A-Za-z_", s: "\\t\\n\\f\\r " };
const POSIX: Record<string, string> = {
  alnum: "0-9A-Za-z",
  alpha: "A-Za-z",
  ascii: "\\x00-\\x7f",
  blank: "\\t ",
  cntrl: "\\x00-\\x1f\\x7f",
  digit: "0-9",
  graph: "!-~",
  lower: "a-z",
  print: " -~",
  punct: "!-\\/:-@\\[-`\\{-~",
  space: "\\t-\\r ",
  upper: "A-Z",
  word: "0-9A-Za-z_",
  xdigit: "0-9A-Fa-f",
};
const CONTROL: Record<string, number> = { a: 7, f: 12, n: 10, r: 13, t: 9, v: 11 };

const isWord = (point: number) => point >= 0 && /^\w$/.test(String.fromCodePoint(point));
const ASSERTS = {
  start: { kind: "assert", holds: (before) => before === -1 },
  end: { kind: "assert", holds: (_, after) => after === -1 },
  lineStart: { kind: "assert", holds: (before) => before === -1 || before === NEWLINE },
  lineEnd: { kind: "assert", holds: (_, after) => after === -1 || after === NEWLINE },
  boundary: { kind: "assert", holds: (before, after) => isWord(before) !== isWord(after) },
  inside: { kind: "assert", holds: (before, after) => isWord(before) === isWord(after) },
} as const satisfies Record<string, Assert>;

/** One character of a class, which is JavaScript's to judge: it takes one step, whatever the class. */
function charOf(inside: string, flags: Flags, negated = false): Char {
  const one = new RegExp(`^[${negated ? "^" : ""}${inside}]$`, flags.i ? "iu" : "u");
  const known = Array.from({ length: 128 }, (_, point) => one.test(String.fromCharCode(point)));
  return { kind: "char", test: (point) => known[point] ?? one.test(String.fromCodePoint(point)) };
}

const inClass = (point: number) => `\\u{${point.toString(16)}}`;

/** Reads RE2's syntax, by recursive descent; throws an error that says what it cannot be. */
class Reader {
  private readonly chars: string[];
  private at = 0;
  private depth = 0;

  constructor(pattern: string) {
    this.chars = Array.from(pattern);
  }

  whole(): Node {
    const node = this.any({ i: false, m: false, s: false });
    if (this.at < this.chars.length) throw new Error("a ) closes nothing");
    return node;
  }

  private rest(length: number): string {
    return this.chars.slice(this.at, this.at + length).join("");
  }

  private take(text: string): boolean {
    if (this.rest(text.length) !== text) return false;
    this.at += text.length;
    return true;
  }

  /** What `form` fits here, which is then read. */
  private takeForm(form: RegExp): RegExpExecArray | null {
    const found = form.exec(this.rest(64));
    if (found !== null) this.at += Array.from(found[0]).length;
    return found;
  }

  private next(): string {
    const char = this.chars[this.at];
    if (char === undefined) throw new Error("it ends too early");
    this.at += 1;
    return char;
  }

  private any(given: Flags): Node {
    // A flag that is set in a group holds until the group ends.
    const flags = { ...given };
    this.depth += 1;
    if (this.depth > DEEPEST) throw new Error("its groups are nested too deep");
    const parts = [this.all(flags)];
    while (this.take("|")) parts.push(this.all(flags));
    this.depth -= 1;
    return parts.length === 1 && parts[0] !== undefined ? parts[0] : { kind: "any", parts };
  }

  private all(flags: Flags): Node {
    const parts: Node[] = [];
    while (this.at < this.chars.length && this.chars[this.at] !== "|" && this.chars[this.at] !== ")") {
      if (this.take("\\Q")) {
        parts.push(...this.quoted(flags));
        parts.push(...parts.splice(-1).map((last) => this.repeated(last)));
      } else {
        const atom = this.atom(flags);
        if (atom !== undefined) parts.push(this.repeated(atom));
      }
    }
    return { kind: "all", parts };
  }

  private quoted(flags: Flags): Node[] {
    const parts: Node[] = [];
    while (this.at < this.chars.length && !this.take("\\E"))
      parts.push(charOf(inClass(this.next().codePointAt(0) ?? 0), flags));
    return parts;
  }

  private repeated(part: Node): Node {
    const range = this.repetition();
    if (range === undefined) return part;
    if (this.repetition() !== undefined) throw new Error("a repetition is repeated: put it into a group");
    return { kind: "repeat", part, ...range };
  }

  private repetition(): { min: number; max: number } | undefined {
    const found = this.takeForm(/^(?:([*+?])|\{(\d{1,4})(,(\d{1,4})?)?\})\??/);
    if (found === null) return undefined;
    const [, sign, least, comma, most] = found;
    const without = { "*": [0, Infinity], "+": [1, Infinity], "?": [0, 1] }[sign ?? ""];
    if (without !== undefined) return { min: without[0] ?? 0, max: without[1] ?? 0 };
    const min = Number(least);
    const max = comma === undefined ? min : most === undefined ? Infinity : Number(most);
    if (min > MOST_REPEATS || (max !== Infinity && max > MOST_REPEATS) || max < min)
      throw new Error(`${found[0]} is no valid repetition`);
    return { min, max };
  }

  /** undefined: it only set flags. */
  private atom(flags: Flags): Node | undefined {
    const char = this.next();
    if (char === "(") return this.group(flags);
    if (char === "[") return this.set(flags);
    if (char === "\\") return this.escaped(flags);
    if (char === "^") return flags.m ? ASSERTS.lineStart : ASSERTS.start;
    if (char === "$") return flags.m ? ASSERTS.lineEnd : ASSERTS.end;
    if (char === ".") return flags.s ? { kind: "char", test: () => true } : charOf("\\n", flags, true);
    if ("*+?".includes(char)) throw new Error(`there is nothing for ${char} to repeat`);
    return charOf(inClass(char.codePointAt(0) ?? 0), flags);
  }

  private group(flags: Flags): Node | undefined {
    let inner = flags;
    if (this.chars[this.at] === "?" && this.takeForm(/^\?P?<\w+>/) === null) {
      const set = this.takeForm(/^\?([imsU]*)(?:-([imsU]+))?([:)])/);
      if (set === null) throw new Error(`(${this.rest(3)} is not supported`);
      const [, on = "", off = "", end] = set;
      inner = { ...flags };
      for (const flag of ["i", "m", "s"] as const)
        inner[flag] = (flags[flag] || on.includes(flag)) && !off.includes(flag);
      if (end === ")") {
        Object.assign(flags, inner);
        return undefined;
      }
    }
    const node = this.any(inner);
    if (!this.take(")")) throw new Error("a ( is not closed");
    return node;
  }

  private escaped(flags: Flags): Node {
    if (this.take("A")) return ASSERTS.start;
    if (this.take("z")) return ASSERTS.end;
    if (this.take("b")) return ASSERTS.boundary;
    if (this.take("B")) return ASSERTS.inside;
    const many = this.classEscape();
    return charOf(many ?? inClass(this.pointEscape()), flags);
  }

  /** After a backslash: the inside of a class for what stands for many characters. */
  private classEscape(): string | undefined {
    const char = this.chars[this.at] ?? "";
    const perl = PERL[char.toLowerCase()];
    if (perl !== undefined && /[dwsDWS]/.test(char)) {
      this.at += 1;
      return char === char.toLowerCase() ? perl : complement(perl);
    }
    const property = this.takeForm(/^([pP])(?:\{(\^?)(\w+)\}|([A-Z]))/);
    if (property === null) return undefined;
    const [, sign, caret, long, short] = property;
    const negated = (sign === "P") !== (caret === "^");
    for (const name of [long ?? short, `Script=${long}`]) {
      const inside = `\\${negated ? "P" : "p"}{${name}}`;
      try {
        new RegExp(inside, "u");
        return inside;
      } catch {}
    }
    throw new Error(`\\${property[0]} is no class of Unicode`);
  }

  /** After a backslash: the one character that it stands for. */
  private pointEscape(): number {
    const found = this.takeForm(
      /^(?:x\{([0-9A-Fa-f]{1,6})\}|x([0-9A-Fa-f]{2})|(0[0-7]{0,2}|[1-7][0-7]{1,2}))/,
    );
    const point =
      found === null ? undefined : Number.parseInt(found[1] ?? found[2] ?? found[3] ?? "", found[3] ? 8 : 16);
    if (point !== undefined && point <= 0x10ffff) return point;
    const char = this.next();
    const control = Object.hasOwn(CONTROL, char) ? CONTROL[char] : undefined;
    if (control !== undefined) return control;
    if (found !== null || /[0-9A-Za-z]/.test(char) || char > "\x7f")
      throw new Error(`\\${char} is not supported`);
    return char.charCodeAt(0);
  }

  private set(flags: Flags): Node {
    const negated = this.take("^");
    let inside = "";
    // A ] that comes first is one of the characters.
    for (let first = true; first || !this.take("]"); first = false) inside += this.member();
    return charOf(inside, flags, negated);
  }

  private member(): string {
    const named = this.takeForm(/^\[:(\^?)([a-z]+):\]/);
    if (named !== null) {
      const posix = Object.hasOwn(POSIX, named[2] ?? "") ? POSIX[named[2] ?? ""] : undefined;
      if (posix === undefined) throw new Error(`${named[0]} is no class`);
      return named[1] === "^" ? complement(posix) : posix;
    }
    const low = this.memberPoint();
    if (typeof low === "string") return low;
    if (this.chars[this.at] !== "-" || (this.chars[this.at + 1] ?? "]") === "]") return inClass(low);
    this.at += 1;
    const high = this.memberPoint();
    if (typeof high === "string" || high < low) throw new Error("a range in [ ] is the wrong way round");
    return `${inClass(low)}-${inClass(high)}`;
  }

  /** A character, or the inside of a class. */
  private memberPoint(): number | string {
    if (!this.take("\\")) return this.next().codePointAt(0) ?? 0;
    return this.classEscape() ?? this.pointEscape();
  }
}

/** The inside of a class for all characters that `inside`, which is of ASCII, does not have. */
function complement(inside: string): string {
  const one = new RegExp(`^[${inside}]$`, "u");
  const others = Array.from({ length: 128 }, (_, point) => point).filter(
    (point) => !one.test(String.fromCharCode(point)),
  );
  return `${others.map(inClass).join("")}\\u{80}-\\u{10ffff}`;
}

/** The tree of a pattern in RE2's syntax, as far as it says whether a text matches; throws what is wrong. */
export function parsePattern(pattern: string): Node {
  return new Reader(pattern).whole();
}
