/** One symptom, as its alert describes it. */
export type Symptom = {
  /** Unique among the symptoms that are correlated together. */
  id: string;
  alert_name: string;
  labels: Readonly<Record<string, string>>;
  annotations: Readonly<Record<string, string>>;
  /** Empty where unknown, like the namespace and the services. */
  cluster: string;
  namespace: string;
  /** Affected services known from elsewhere than its labels. */
  services: readonly string[];
  /** Null when unknown: then time counts neither for nor against a relation. */
  starts_at: Date | null;
};

export type CorrelationTerms = {
  /** Symptoms that start within this many milliseconds of each other may belong together. */
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

/** Symptoms of one trouble, and their probable cause. */
export type Group = {
  /** Ids, sorted. */
  members: string[];
  cause: { id: string; reason: string } | null;
  reason: string;
  /** Relations inside the group and, as `link`, to other groups. */
  links: { a: string; b: string; relation: Relation }[];
};
