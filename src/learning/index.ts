export { recordRepair, repairDidNotHold } from "./record-repair.ts";
export { dispositionOf, recordResolution } from "./record-resolution.ts";
export {
  latestResolutions,
  openResolutions,
  type RepairRecord,
  type ResolutionRecord,
  repairsOf,
} from "./store.ts";
