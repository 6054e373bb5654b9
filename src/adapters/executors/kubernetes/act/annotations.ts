/** On what an execution changed: its id. Told by it after a crash whether the change was made. */
export const EXECUTION = "awoooi.dev/execution";
/** On a pod template, as kubectl does it: another value makes new pods. */
export const RESTARTED_AT = "kubectl.kubernetes.io/restartedAt";
