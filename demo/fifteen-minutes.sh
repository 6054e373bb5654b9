#!/usr/bin/env bash
# The first fifteen minutes with AWOOOI: what a newcomer tries, one task after the other, with what each took.
# Everything is in a temporary folder, on loopback and on free ports, and is stopped and removed at the end. It needs
# what the tests need: Alertmanager, Prometheus and sshd (as root `npm test` installs them), and root for a small disk
# that is filled. Call it from the project's folder: bash demo/fifteen-minutes.sh
set -euo pipefail
cd "$(dirname "$0")/.."

folder=$(mktemp -d)
# As root the database runs as the user nobody, who must be able to enter its folder.
chmod o+x "$folder"
mkdir "$folder/bin"
printf '#!/bin/sh\nexec "%s/node_modules/.bin/node" "%s/bin/awoooi.js" "$@"\n' "$PWD" "$PWD" >"$folder/bin/awoooi"
chmod +x "$folder/bin/awoooi"
export PATH="$folder/bin:$PATH" NO_COLOR=1
pids=()
finish() {
  code=$?
  for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done
  if [ -n "${server:-}" ]; then
    awoooi processes stop shop --comment "the tour is over" >/dev/null 2>&1 || true
    kill "$server" 2>/dev/null || true
    wait "$server" 2>/dev/null || true
  fi
  mountpoint -q "$folder/full" && umount "$folder/full"
  if [ "$code" = 0 ]; then rm -rf "$folder"; else echo "It failed; everything is in $folder." >&2; fi
}
trap finish EXIT

free_port() { node -e 'const s = require("net").createServer().listen(0, "127.0.0.1", () => { console.log(s.address().port); s.close(); })'; }
now() { date +%s%3N; }
begin=$(now)
task() {
  printf '\n━━ %s\n' "$1"
  started=$(now)
}
took() { printf -- '── %s: %s s\n' "$1" "$(( ($(now) - started + 50) / 100 ))" | sed -E 's/([0-9])( s)$/.\1\2/; s/: \./: 0./'; }
# Shows a command as it is typed, and what it says.
type_in() {
  printf '\n$ %s\n' "$*"
  "$@" 2>&1 || printf '(exit code %s)\n' "$?"
}
# Tries a command until it says what is waited for, for two minutes at most.
wait_for() {
  local pattern=$1
  shift
  for _ in $(seq 1 240); do
    if said=$("$@" 2>&1) && grep -qE "$pattern" <<<"$said"; then return 0; fi
    sleep 0.5
  done
  echo "waited in vain for $pattern of: $*" >&2
  echo "$said" >&2
  return 1
}
# The id of the newest thing of a list that has this text.
newest() { awoooi "$1" ls 2>/dev/null | grep -m1 -E "$2" | grep -oE '(INC|APR)-[A-Z0-9-]+' | head -1; }
# Waits for an approval that can be signed, of an incident that has this text.
signable() {
  wait_for "$1" awoooi incidents ls
  incident=$(newest incidents "$1")
  wait_for 'awoooi approvals approve APR-' awoooi incidents show "$incident"
  approval=$(grep -oE 'approvals approve APR-[A-Z0-9]+' <<<"$said" | head -1 | cut -d' ' -f3)
}
person() { awoooi tokens create --name "$1" --role approver --json | node -pe 'JSON.parse(require("fs").readFileSync(0, "utf8")).token'; }

port=$(free_port)
shop_port=$(free_port)
cat >"$folder/shop.js" <<'JS'
require("node:http").createServer((_, answer) => answer.end("well\n")).listen(process.env.PORT, "127.0.0.1");
JS
cat >"$folder/awoooi.yaml" <<YAML
data_dir: $folder/data
server: { port: $port }
processes:
  - name: shop
    argv: [node, shop.js]
    cwd: $folder
    env: { PORT: "$shop_port" }
    probe: { url: "http://127.0.0.1:$shop_port/" }
YAML
export AWOOOI_URL=http://127.0.0.1:$port
start_server() {
  awoooi serve --config "$folder/awoooi.yaml" >>"$folder/server.log" 2>&1 &
  server=$!
  wait_for . curl -fsS "$AWOOOI_URL/api/v1/health/ready"
}

task "1. The demo heals a shop"
node_modules/.bin/node demo/main.ts --auto --exit | grep -E '^ +\+' | grep -E 'broken|decided  |signed|repaired|resolved'
took "the demo"

task "2. A server, Alertmanager and Prometheus"
type_in awoooi config check "$folder/awoooi.yaml"
start_server
AWOOOI_TOKEN=$(grep -oE 'awoooi_[A-Za-z0-9_-]{20,}|AWOOOI_TOKEN=[^ ]+' "$folder/server.log" | head -1 | sed 's/^AWOOOI_TOKEN=//')
export AWOOOI_TOKEN
took "until the server was ready and its token printed"
alertmanager_port=$(free_port)
cat >"$folder/alertmanager.yml" <<YAML
route: { receiver: awoooi, group_wait: 1s }
receivers: [{ name: awoooi, webhook_configs: [{ url: "$AWOOOI_URL/api/v1/webhooks/alertmanager" }] }]
YAML
prometheus-alertmanager --config.file="$folder/alertmanager.yml" --storage.path="$folder/alertmanager" \
  --web.listen-address=127.0.0.1:"$alertmanager_port" --cluster.listen-address= >"$folder/alertmanager.log" 2>&1 &
pids+=($!)
wait_for OK curl -fsS "http://127.0.0.1:$alertmanager_port/-/ready"
amtool --alertmanager.url="http://127.0.0.1:$alertmanager_port" alert add CheckoutSlow severity=warning service=checkout
wait_for CheckoutSlow awoooi incidents ls
took "with the first incident through Alertmanager"
prometheus_port=$(free_port)
cat >"$folder/rules.yml" <<YAML
groups: [{ name: tour, interval: 1s, rules: [{ alert: BackupMissing, expr: vector(1), labels: { severity: warning, service: backup } }] }]
YAML
cat >"$folder/prometheus.yml" <<YAML
rule_files: [$folder/rules.yml]
alerting: { alertmanagers: [{ static_configs: [{ targets: ["127.0.0.1:$port"] }] }] }
YAML
prometheus --config.file="$folder/prometheus.yml" --storage.tsdb.path="$folder/prometheus" --rules.alert.resend-delay=5s \
  --web.listen-address=127.0.0.1:"$prometheus_port" >"$folder/prometheus.log" 2>&1 &
pids+=($!)
wait_for BackupMissing awoooi incidents ls
took "with the first incident of Prometheus itself"
type_in awoooi incidents ls

task "3. A process of mine stops answering (SIGSTOP), and is healed"
type_in awoooi processes ls
type_in awoooi diagnose shop
shop_pid=$(awoooi processes ls --json | node -pe 'JSON.parse(require("fs").readFileSync(0, "utf8")).items[0].pid')
kill -STOP "$shop_pid"
signable shop
took "until it was noticed, and could be signed"
type_in awoooi incidents show "$incident"
type_in awoooi approvals approve "$approval" --yes --wait
took "until it was verified"

task "4. A host over SSH whose disk is full"
mkdir -p "$folder/full" "$folder/ssh"
mount -t tmpfs -o size=64m tmpfs "$folder/full"
mkdir "$folder/full/uploads"
head -c 62M /dev/zero >"$folder/full/uploads/film.mkv"
ssh-keygen -q -t ed25519 -N "" -f "$folder/ssh/host"
ssh-keygen -q -t ed25519 -N "" -f "$folder/ssh/id"
cp "$folder/ssh/id.pub" "$folder/ssh/authorized_keys"
ssh_port=$(free_port)
mkdir -p /run/sshd
/usr/sbin/sshd -D -e -f /dev/null -p "$ssh_port" -h "$folder/ssh/host" -o ListenAddress=127.0.0.1 -o PidFile=none \
  -o AuthorizedKeysFile="$folder/ssh/authorized_keys" -o StrictModes=no -o UsePAM=no -o PermitRootLogin=yes \
  2>"$folder/sshd.log" &
pids+=($!)
printf '[127.0.0.1]:%s %s\n' "$ssh_port" "$(cut -d' ' -f1,2 "$folder/ssh/host.pub")" >"$folder/ssh/known_hosts"
cat >>"$folder/awoooi.yaml" <<YAML
ssh:
  known_hosts: [$folder/ssh/known_hosts]
  user: $(id -un)
  identity_file: $folder/ssh/id
  hosts: [{ name: box-1, address: 127.0.0.1, port: $ssh_port }]
YAML
type_in awoooi config reload
type_in awoooi alerts send --name HostOutOfDiskSpace --severity warning --label instance=box-1:9100 --label mountpoint="$folder/full"
wait_for HostOutOfDiskSpace awoooi incidents ls
incident=$(newest incidents HostOutOfDiskSpace)
wait_for 'is [0-9]+% full' awoooi incidents show "$incident"
took "until it was said what takes the room"
type_in awoooi incidents show "$incident"
type_in awoooi diagnose box-1

task "5. Five mistakes"
printf 'server: { prot: 1 }\n' >"$folder/wrong.yaml"
type_in awoooi config check "$folder/wrong.yaml"
type_in env AWOOOI_TOKEN=wrong awoooi incidents ls
type_in curl -sS -X POST "$AWOOOI_URL/api/v1/webhooks/alertmanger" -H 'content-type: application/json' -d '{}'
type_in curl -sS -X POST "$AWOOOI_URL/api/v1/webhooks/alertmanager" -H 'content-type: application/json' -d '{"alerts": [}'
type_in awoooi diagnose shpo
took "five mistakes"

task "6. Two signatures"
cat >>"$folder/awoooi.yaml" <<YAML
approval: { required_signatures: { medium: 2 } }
YAML
type_in awoooi config reload
ada=$(person ada)
bob=$(person bob)
wait_for ' running ' awoooi processes ls
shop_pid=$(awoooi processes ls --json | node -pe 'JSON.parse(require("fs").readFileSync(0, "utf8")).items[0].pid')
kill -STOP "$shop_pid"
signable shop
type_in env AWOOOI_TOKEN="$ada" awoooi approvals approve "$approval" --yes --comment "it hangs"
type_in env AWOOOI_TOKEN="$bob" awoooi approvals approve "$approval" --yes --wait
took "two signatures, until it was verified"

task "7. Silence, freeze, export, restart"
type_in awoooi silences add 'alertname="BackupMissing"' --for 2h --why "the backup host is being moved"
type_in awoooi freeze --why "the database is being moved" --for 1h
type_in awoooi freeze status
type_in awoooi unfreeze
type_in awoooi export "$folder/awoooi.export.gz" --config "$folder/awoooi.yaml"
kill "$server"
wait "$server" 2>/dev/null || true
start_server
type_in awoooi incidents ls
type_in awoooi audit verify
took "all four"

started=$begin
printf '\n'
took "All of it"
