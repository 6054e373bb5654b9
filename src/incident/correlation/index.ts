export { correlate, probableCause } from "./correlate.ts";
export { relate } from "./relate.ts";
export { NO_TOPOLOGY, parseTopology, type Topology } from "./topology.ts";
export { type CorrelationTerms, DEFAULT_TERMS, type Group, type Relation, type Symptom } from "./types.ts";
