export { presentApprovals, publishApproval } from "./approval.ts";
export { presentDecision } from "./decision.ts";
export { presentIncident, presentIncidents } from "./incident.ts";
