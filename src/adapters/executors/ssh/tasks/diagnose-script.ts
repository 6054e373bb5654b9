import { randomBytes } from "node:crypto";
import type { Host } from "../connection/host.ts";
import { type HostFacts, parseFacts } from "../facts/facts.ts";
import type { ReadResult } from "../facts/units.ts";

/**
 * Reads all facts of a host in one run. The script is constant; its arguments are 1: the section mark, random so that
 * no output can forge it; 2: the container runtime; 3: `sudo` or empty; 4: the number of paths that follow, whose
 * filesystems are looked up; those paths; then the certificate files.
 */
export const SCRIPT = `
mark=$1; runtime=$2; root=$3; named=$4; shift 4; failed=
section() { printf '\\n%s %s\\n' "$mark" "$1"; }
within() { timeout -k 1 "$@" 2>/dev/null; }
as_root() { if [ "$root" = sudo ]; then within 4 sudo -n -- "$@"; else within 4 "$@"; fi; }
here() { command -v "$1" >/dev/null 2>&1; }
# With what it could not look at, of which it goes on with the rest.
all_of() { timeout -k 1 3 df -P "$2" 2>&1; [ $? -le 1 ] || failed="$failed $1"; }
section system; uname -srm; date +%s; cat /proc/uptime /proc/loadavg; nproc 2>/dev/null
section memory; cat /proc/meminfo 2>/dev/null | head -n 60
section disk; all_of disk -k
section inodes; all_of inodes -i
section mounts; cat /proc/mounts 2>/dev/null
section processes; ps -eo pid=,ppid=,stat=,pcpu=,rss=,etimes=,comm= 2>/dev/null
section units; within 3 systemctl list-units --failed --plain --no-legend --no-pager --full ||
  ! [ -d /run/systemd/system ] || failed="$failed units"
section clock; within 2 timedatectl show -p NTPSynchronized -p NTP
section kernel
said=$(as_root dmesg || within 3 journalctl -k --since -2h -o short-monotonic --no-pager) || failed="$failed kernel"
printf '%s\\n' "$said" | grep -i -e 'out of memory' -e 'oom-kill' -e 'killed process' | tail -n 20
section containers
as_root "$runtime" ps --all --no-trunc --format '{{.Names}}\\t{{.State}}\\t{{.Status}}\\t{{.Image}}' ||
  ! here "$runtime" || failed="$failed containers"
section named
while [ "$named" -gt 0 ]; do
  said=$(timeout -k 1 3 df -P -k -- "$1" 2>&1); printf '%s\\t%s\\n' "$?" "$(printf '%s' "$said" | tr '\\n' '\\t')"
  shift; named=$((named - 1))
done
section certificates; if [ $# -gt 0 ]; then as_root cat -- "$@" || failed="$failed certificates"; fi
section failed; printf '%s\\n' $failed
section end
exit 0
`;

const SECONDS = 25;

/** Reads a host's facts with one command, including the filesystem of each of `paths`, whatever its type. */
export async function readFacts(
  host: Host,
  { signal, paths = [] }: { signal?: AbortSignal | undefined; paths?: readonly string[] } = {},
): Promise<ReadResult<HostFacts>> {
  const { runtime, sudo, certificates } = host.config;
  const mark = `=${randomBytes(12).toString("hex")}=`;
  const count = String(paths.length);
  const args = [mark, runtime, sudo ? "sudo" : "", count, ...paths, ...certificates] as const;
  const looked = await host.look(["sh", "-c", SCRIPT, "sh", ...args], { seconds: SECONDS, signal });
  return looked.ok ? { ok: true, value: parseFacts(looked.stdout, mark, paths) } : looked;
}
