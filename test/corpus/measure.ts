/** One part of the product: what it is measured against, printed as a report. */
export type Measure = (folder: string, options: { verbose: boolean }) => void | Promise<void>;
