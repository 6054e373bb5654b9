import { z } from "zod";

const TYPES: Readonly<Record<string, string>> = {
  string: "text",
  number: "a number",
  int: "a whole number",
  boolean: "true or false",
  array: "a list",
  object: "an object",
  record: "an object",
  null: "nothing",
  date: "a time",
};
const FORMATS: Readonly<Record<string, string>> = {
  url: "a URL",
  email: "an e-mail address",
  datetime: "a time such as 2026-07-01T12:00:00Z",
  ipv4: "an IPv4 address",
  ipv6: "an IPv6 address",
  cidrv4: "an IPv4 network",
  cidrv6: "an IPv6 network",
  uuid: "a UUID",
};
const UNITS: Readonly<Record<string, string>> = {
  string: "characters",
  array: "items",
  set: "items",
  map: "items",
};

const typeOf = (value: unknown) =>
  value === null ? "null" : Array.isArray(value) ? "array" : Number.isNaN(value) ? "no number" : typeof value;
const typeWord = (type: string) => TYPES[type] ?? type;

/** Returns a message such as `must be at least 1` or `must have at most 5 items`. */
function bound(
  origin: string,
  limit: number | bigint,
  words: { inclusive: string; exclusive: string },
  inclusive: boolean,
) {
  const unit = UNITS[origin];
  const compared = inclusive ? words.inclusive : words.exclusive;
  return unit === undefined ? `must be ${compared} ${limit}` : `must have ${compared} ${limit} ${unit}`;
}

/** Returns what is wrong with a value, worded to follow its path: `server.port must be at most 65535`. */
function invalidWords(issue: z.core.$ZodRawIssue): string | undefined {
  switch (issue.code) {
    case "invalid_type": {
      const wanted = typeWord(issue.expected);
      return issue.input === undefined
        ? `is missing: it must be ${wanted}`
        : `must be ${wanted}, not ${typeWord(typeOf(issue.input))}`;
    }
    case "invalid_value": {
      const values = issue.values.map(String);
      return values.length === 1 ? `must be ${values[0]}` : `must be one of ${values.join(", ")}`;
    }
    case "too_big":
      return bound(
        issue.origin,
        issue.maximum,
        { inclusive: "at most", exclusive: "less than" },
        issue.inclusive !== false,
      );
    case "too_small":
      if (UNITS[issue.origin] !== undefined && Number(issue.minimum) === 1) return "must not be empty";
      return bound(
        issue.origin,
        issue.minimum,
        { inclusive: "at least", exclusive: "more than" },
        issue.inclusive !== false,
      );
    case "invalid_format": {
      if (issue.format === "regex") return `must match ${issue.pattern}`;
      if (issue.format === "starts_with") return `must begin with "${issue.prefix}"`;
      if (issue.format === "ends_with") return `must end with "${issue.suffix}"`;
      return `must be ${FORMATS[issue.format] ?? issue.format}`;
    }
    case "not_multiple_of":
      return issue.divisor === 1 ? "must be a whole number" : `must be a multiple of ${issue.divisor}`;
    case "unrecognized_keys":
      return `must not have ${issue.keys.join(", ")}`;
    case "invalid_union":
      return "has none of the allowed forms";
    default:
      return undefined;
  }
}

z.config({ customError: invalidWords });
