export { evidenceOf, getEvidence, keepEvidence } from "./evidence.ts";
export { forgetInvestigations } from "./forget.ts";
export { diagnose, investigate } from "./investigate.ts";
export type { EvidenceTerms, Investigator } from "./types.ts";
