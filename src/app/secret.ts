/** The last name of a setting's path, without places in lists. */
const nameOf = (path: string) => path.split(".").findLast((part) => !/^\d+$/.test(part)) ?? "";

/** Whether what stands at a dotted path of the configuration is a secret, or holds one. */
export function isSecret(path: string): boolean {
  // A process's own environment holds its credentials, whatever the names.
  if (/^processes(\.\d+)?\.env(\.|$)/.test(path)) return true;
  // Who knows the address of a chat's webhook may write there.
  if (path === "database.url" || path === "redis.url" || /webhooks?(\.\d+)?\.url$/.test(path)) return true;
  return /(^|_)(tokens?|passwords?|passphrase|secrets?|keys?)$/.test(nameOf(path));
}
