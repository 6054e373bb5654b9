export { countOldRepairs, forgetRepairs, forgetSurplusRepairs } from "./forget.ts";
export { recordRepair, repairDidNotHold, repairTakenBack } from "./record-repair.ts";
export { recordResolution } from "./record-resolution.ts";
export { rewriteLearntKeys } from "./rewrite-keys.ts";
