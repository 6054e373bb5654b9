export { presentApproval, presentApprovals } from "./approval.ts";
export { presentDecision } from "./decision.ts";
export { presentIncident, presentIncidents } from "./incident.ts";
