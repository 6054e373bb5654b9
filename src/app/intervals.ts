/** Times, in seconds, that no setting names: nobody who runs a server would want others. Tests shorten them. */
export type Intervals = {
  /** Between two looks for notices that are due. */
  delivery: number;
  /** Between two writes of what was refused. */
  refused: number;
  /** Between two looks for receipts that no live call waits for: those of a killed process, and replayed ones. */
  leftovers: number;
  /** Between two looks at Redis. */
  redis: number;
  /** For so long a reading of the database serves every scraper. */
  state_counts: number;
  /** For so long a scrape waits for the database: less than any scraper waits. */
  scrape: number;
  /** Between two looks for processes to start, stop or look at. */
  processes: number;
  /** Until an execution looks again whether another still acts on its target. */
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
