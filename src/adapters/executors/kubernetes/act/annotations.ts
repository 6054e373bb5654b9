/** Holds the id of the execution that changed the object. After a crash it tells whether the change was made. */
export const EXECUTION = "awoooi.dev/execution";
/** Set on a pod template, as kubectl does: a new value replaces the pods. */
export const RESTARTED_AT = "kubectl.kubernetes.io/restartedAt";
