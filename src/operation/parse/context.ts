import type { OperationTarget } from "../../contract/incident.ts";

/** What is known when a text is parsed: the incident's target, and the cluster and host of its commands. */
export type Context = {
  target?: OperationTarget | undefined;
  cluster?: string | undefined;
  host?: string | undefined;
};
