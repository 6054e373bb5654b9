// Flags that many verbs of kubectl have, as in a manual.
export const OUTPUT = "-o,--output= --template= --allow-missing-template-keys --show-managed-fields";
export const FILES = "-f,--filename= -k,--kustomize= -R,--recursive";
export const SELECTORS = "-l,--selector= --field-selector= -A,--all-namespaces";
export const DRY_RUN = "--dry-run=?";

/** Flags that every operation understands: its place, and how long kubectl waits for the server. */
export const COMMON_FLAGS: readonly string[] = ["--namespace", "--context", "--request-timeout"];
