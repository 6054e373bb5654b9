export { endSilence } from "./end-silence.ts";
export { countOldSilences, forgetSilences } from "./forget.ts";
export { createMuting } from "./muting.ts";
export {
  allSilences,
  getSilence,
  listAlerts,
  listSilences,
  silencesOfIncidents,
  silencesOfPerson,
} from "./read.ts";
export { replaceSilence } from "./replace-silence.ts";
export { inhibitRule, maintenanceWindow } from "./settings.ts";
export { silence, silenceIncident } from "./silence.ts";
export { presentSilence, statusOf } from "./status.ts";
export {
  type Firing,
  type FiringKey,
  firingAlerts,
  firingPage,
  forgetInhibitors,
} from "./store.ts";
export type { FiringLabels, Muting, SilenceRow } from "./types.ts";
export { updateSilence } from "./update-silence.ts";
