/** Intervals in seconds that are not settings, as no operator needs to change them. Tests shorten them. */
export type Intervals = {
  /** Between two checks for notices that are due. */
  delivery: number;
  /** Between two writes of the counts of refused calls. */
  refused: number;
  /** Between two checks for receipts that no open call waits for: those of a killed process, and replayed ones. */
  leftovers: number;
  /** Between two checks of Redis. */
  redis: number;
  /** How long metrics read from the database are reused for all scrapers. */
  state_counts: number;
  /** How long a scrape waits for the database; must be less than any scraper's timeout. */
  scrape: number;
  /** Between two checks of supervised processes and of requests to start or stop them. */
  processes: number;
  /** Until an execution checks again whether another one still acts on its target. */
  busy: number;
};

export const INTERVALS: Intervals = {
  delivery: 0.5,
  refused: 5,
  leftovers: 1,
  redis: 2,
  state_counts: 3,
  scrape: 2,
  processes: 1,
  busy: 2,
};
