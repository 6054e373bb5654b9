export { countOldRepairs, forgetRepairs, forgetResolutions, forgetSurplusRepairs } from "./forget.ts";
export { recordRepair, repairDidNotHold, repairTakenBack } from "./record-repair.ts";
export { dispositionOf, recordResolution } from "./record-resolution.ts";
export { rewriteLearntKeys } from "./rewrite-keys.ts";
export {
  latestResolutions,
  openResolutions,
  type RepairRecord,
  type ResolutionRecord,
  repairsOf,
} from "./store.ts";
