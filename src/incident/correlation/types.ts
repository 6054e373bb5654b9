/** One thing that went wrong, as far as its alert says. */
export type Symptom = {
  /** The same for no two symptoms that are correlated together. */
  id: string;
  alert_name: string;
  labels: Readonly<Record<string, string>>;
  annotations: Readonly<Record<string, string>>;
  /** Empty where nothing says it; so are the namespace and the services. */
  cluster: string;
  namespace: string;
  /** What it is about, where something else than its labels says so. */
  services: readonly string[];
  /** Null when nobody knows: it then speaks neither for nor against a relation. */
  starts_at: Date | null;
};

export type CorrelationTerms = {
  /** What starts within this time of each other may belong together. Milliseconds. */
  window_ms: number;
  /** How many dependencies a fault may pass from one alert to the next. */
  max_hops: number;
};

export const DEFAULT_TERMS: CorrelationTerms = { window_ms: 600_000, max_hops: 3 };

/** Why two symptoms belong together: `merge` when it is the same trouble, `link` when it may be. */
export type Relation = {
  strength: "link" | "merge";
  /** For people to read, the strongest first. */
  reasons: string[];
  /** The one nearer to the cause; null when nothing says which. */
  upstream: "a" | "b" | null;
};

/** One trouble: what belongs together, and what it probably comes from. */
export type Group = {
  /** Ids in their order. */
  members: string[];
  cause: { id: string; reason: string } | null;
  reason: string;
  /** What holds the group together, and, as `link`, what ties it to others. */
  links: { a: string; b: string; relation: Relation }[];
};
