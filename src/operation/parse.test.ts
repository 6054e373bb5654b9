import { describe, expect, it } from "vitest";
import { type Operation, parseOperation } from "./index.ts";

const prod = (kind: string, name: string) => ({ kind, name, namespace: "prod" });
const on = (kind: string, name: string, host = "web1") => ({ kind, name, host });
const said = (text: string) => {
  const { class: is, operation } = parseOperation(text);
  return [is, operation?.kind, operation?.target, operation?.parameters];
};

describe("a command that changes something", () => {
  const api = prod("deployment", "api");
  it.each<[string, Operation["kind"], object, object]>([
    ["kubectl rollout restart deployment/api -n prod", "kubernetes.rollout_restart", api, {}],
    ["kubectl -nprod rollout restart deploy api", "kubernetes.rollout_restart", api, {}],
    ["kubectl rollout --namespace=prod restart deploy.apps/api", "kubernetes.rollout_restart", api, {}],
    [`"kubectl" 'roll'out restart deployment/"api" -n $'prod'`, "kubernetes.rollout_restart", api, {}],
    ["kubectl rollout \\\n  restart deployment/ap\\i \\\n -n prod", "kubernetes.rollout_restart", api, {}],
    [
      "Restart the API | kubectl rollout restart deployment/api -n prod",
      "kubernetes.rollout_restart",
      api,
      {},
    ],
    ["重啟 API | kubectl rollout restart deployment/api -n prod", "kubernetes.rollout_restart", api, {}],
    ["kubectl rollout undo sts/db -n prod", "kubernetes.rollout_undo", prod("statefulset", "db"), {}],
    [
      "kubectl rollout undo deploy/api -n prod --to-revision=3",
      "kubernetes.rollout_undo",
      api,
      { to_revision: 3 },
    ],
    ["kubectl rollout undo deploy/api -n prod --to-revision=0", "kubernetes.rollout_undo", api, {}],
    ["kubectl scale --replicas=0 deployment/api -n prod", "kubernetes.scale", api, { replicas: 0 }],
    [
      "kubectl scale deploy api --replicas 3 -n prod --dry-run=none",
      "kubernetes.scale",
      api,
      { replicas: 3 },
    ],
    ["kubectl delete po api-1 -n prod --wait=false", "kubernetes.delete_pod", prod("pod", "api-1"), {}],
    [
      "kubectl delete pod api-1",
      "kubernetes.delete_pod",
      { kind: "pod", name: "api-1", namespace: "default" },
      {},
    ],
    ["kubectl cordon node-1", "kubernetes.cordon", { kind: "node", name: "node-1" }, {}],
    ["kubectl uncordon no/node-1", "kubernetes.uncordon", { kind: "node", name: "node-1" }, {}],
    [
      "kubectl drain node-1 --ignore-daemonsets --context=kind-x",
      "kubernetes.drain",
      { kind: "node", name: "node-1", cluster: "kind-x" },
      { ignore_daemonsets: true, delete_emptydir_data: false },
    ],
    [
      "kubectl set image deploy/api -n prod web=registry.example:5000/team/web:1.2 side=nginx",
      "kubernetes.set_image",
      api,
      { images: { web: "registry.example:5000/team/web:1.2", side: "nginx" } },
    ],
    [
      "kubectl set resources deploy api -n prod -c web --limits=cpu=200m,memory=512Mi",
      "kubernetes.set_resources",
      api,
      { container: "web", limits: { cpu: "200m", memory: "512Mi" } },
    ],
    [
      `kubectl patch deployment api -n prod -p '{"spec":{"template":{"metadata":{"annotations":{"a/b":"c"}}}}}'`,
      "kubernetes.patch",
      api,
      { patch: { spec: { template: { metadata: { annotations: { "a/b": "c" } } } } } },
    ],
    [
      `kubectl patch hpa api -n prod --type=merge -p '{"spec":{"maxReplicas":9}}'`,
      "kubernetes.patch",
      prod("horizontalpodautoscaler", "api"),
      { patch: { spec: { maxReplicas: 9 } } },
    ],
    ["ssh web1 docker restart web", "host.docker_restart", on("container", "web"), {}],
    [
      "ssh -q -o ConnectTimeout=5 web1 'docker container restart web'",
      "host.docker_restart",
      on("container", "web"),
      {},
    ],
    [
      "ssh web1 sudo systemctl restart nginx.service",
      "host.systemctl_restart",
      on("unit", "nginx.service"),
      {},
    ],
    ["systemctl restart nginx", "host.systemctl_restart", on("unit", "nginx", "localhost"), {}],
    [
      "ssh web1 docker compose -p shop restart web",
      "host.docker_compose_restart",
      on("compose_service", "web"),
      { project: "shop" },
    ],
    [
      "ssh web1 docker image prune -af",
      "host.docker_prune",
      { kind: "host", name: "web1" },
      { what: "image", all_images: true },
    ],
    ...["docker prune", "docker prune -f", "docker system prune", "sudo docker system prune --force"].map(
      (text): [string, Operation["kind"], object, object] => [
        `ssh web1 ${text}`,
        "host.docker_prune",
        { kind: "host", name: "web1" },
        { what: "system", all_images: false },
      ],
    ),
    [
      "docker system prune -af",
      "host.docker_prune",
      { kind: "host", name: "localhost" },
      { what: "system", all_images: true },
    ],
    [
      "ssh web1 docker container prune -f",
      "host.docker_prune",
      { kind: "host", name: "web1" },
      { what: "container", all_images: false },
    ],
    [
      "ssh web1 docker builder prune --all",
      "host.docker_prune",
      { kind: "host", name: "web1" },
      { what: "builder", all_images: true },
    ],
    ["ssh web1 systemctl reload nginx", "host.reload_nginx", { kind: "host", name: "web1" }, {}],
  ])("%s", (text, kind, target, parameters) => {
    expect(said(text)).toEqual(["operation", kind, target, parameters]);
    expect(parseOperation(text).approval).toBe("required");
  });
});

describe("a text that is refused, naming what is wrong", () => {
  const restart = "kubectl rollout restart deployment/api -n prod";
  it.each([
    [`${restart}; rm -rf /`, '"rm"'],
    [`${restart} && ${restart}`, "more than one command"],
    [`${restart} &`, '"&" follows it'],
    [`${restart} > /dev/null`, "redirected"],
    [`${restart} # and the rest`, "comment"],
    [`echo ok | ${restart}`, "more than one command"],
    [`NS=prod ${restart}`, "sets a variable"],
    ["kubectl rollout restart deployment/$NAME -n prod", '"$NAME"'],
    ["kubectl rollout restart deployment/api -n $(cat ns)", '"ns"'],
    ["kubectl rollout restart deployment/<name> -n prod", '"<name>"'],
    ["kubectl rollout restart deployment/{target} -n prod", '"{target}"'],
    ["kubectl rollout restart deployment/api* -n prod", '"*"'],
    ["kubectl set image deployment/api web=~", 'must be a fixed value, not "~"'],
    ["kubectl set image deployment/api web=a:~", 'must be a fixed value, not "~"'],
    ["kubectl rollout restart deployment api worker -n prod", '"worker" is a second object'],
    ["kubectl rollout restart deployment -n prod", "does not say which deployment"],
    ["kubectl rollout restart deployment -l app=api", "--selector"],
    ["kubectl rollout restart job/api -n prod", "target.kind"],
    ["kubectl rollout restart deployment/API -n prod", "is not a Kubernetes name"],
    ["kubectl rollout restart deployment/api -n prod --foo", '"--foo"'],
    [`${restart} -n other`, "--namespace is given twice"],
    ["kubectl rollout restart deployment/api -n prod --as=admin", "--as acts under another identity"],
    ["kubectl --kubeconfig=/tmp/x rollout restart deployment/api", "--kubeconfig"],
    ["kubectl -s https://evil rollout restart deployment/api", "--server"],
    ["kubectl get pods --token abc", "--token"],
    ["kubectl delete pods --all -n prod", "--all"],
    ["kubectl delete pod api --force", "--force"],
    ["kubectl delete namespace prod", "deletes everything in the namespace"],
    ["kubectl delete pvc data", "the data on the volume"],
    ["kubectl delete crd widgets", "every object of the kind"],
    ["kubectl delete pod,pvc x", "pod,pvc"],
    ["kubectl scale deploy/api", "--replicas is missing"],
    ["kubectl scale deploy/api --replicas=3 --current-replicas=2", "--current-replicas"],
    ["kubectl scale deploy/api --replicas=9999", "replicas"],
    ["kubectl scale deploy/api --replicas=3 --dry-run=maybe", '"maybe"'],
    ["kubectl delete pod api --timeout=$T", '"$T"'],
    ["ssh web1 kubectl delete pod api", "own kubeconfig"],
    ["kubectl get pods | awk 'BEGIN{ARGV[1]=1}'", "awk"],
    ["kubectl drain node-1 --disable-eviction", "PodDisruptionBudgets"],
    ["kubectl apply -f x.yaml", "is not a typed operation"],
    ["kubectl exec api -- sh", "runs a program"],
    ["kubectl lineage pod api", '"lineage"'],
    ["kubectl $VERB pods", '"$VERB"'],
    ["kubectl get secret db -o yaml", "discloses"],
    ["kubectl get pods,secrets -ojson", "discloses"],
    ["kubectl get $KIND -o yaml", "might be a secret"],
    ["kubectl get --raw /api/v1/secrets", "--raw"],
    ["kubectl config view --raw", "credentials"],
    ["kubectl get pods > pods.txt", '"pods.txt"'],
    ["kubectl get pods | xargs kubectl delete pod", '"xargs"'],
    ["kubectl get pods | awk '{system(\"id\")}'", "awk"],
    ["kubectl get pods | sed 's/a/b/w out'", "sed"],
    ["kubectl get pods | sed 's/a/b/w /tmp/g'", "sed"],
    ["kubectl get pods | sed 's/x//ew/dev/null/p'", "sed"],
    ["kubectl get pods | sed 's|x||e|g'", "sed"],
    ["ssh web1 ls $(echo '; rm -rf /var/x')", "expanded by the local shell"],
    ["ssh web1 ls $X", "expanded by the local shell"],
    ["ssh web1 ls /var/log/*.log", "expanded by the local shell"],
    ["ssh web1 docker logs `echo x`", "expanded by the local shell"],
    ['ssh web1 docker logs "$X"', "expanded by the local shell"],
    ["printf -v PATH %s /tmp/evil && kubectl get pods", "sets a variable"],
    ["printf -vPATH x && kubectl get pods", "sets a variable"],
    // biome-ignore lint/suspicious/noTemplateCurlyInString: what a shell fills in
    ["echo ${KUBECONFIG:=/tmp/x} ; kubectl get pods", "more than a plain variable"],
    // biome-ignore lint/suspicious/noTemplateCurlyInString: what a shell fills in
    ["echo ${X@P} ; kubectl get pods", "more than a plain variable"],
    ["kubectl get pods | grep -f /etc/shadow", '"-f"'],
    ["kubectl get pods | grep -e x /etc/shadow", "/etc/shadow"],
    ["kubectl get pods; cat /etc/shadow", '"/etc/shadow"'],
    ["cat /var/log/../../etc/shadow", "/etc/shadow"],
    ["cat /proc/self/environ", "/proc/self/environ"],
    ["ssh web1 cat $FILE", '"$FILE"'],
    ["cat", "names no file"],
    ["ls && rm -rf /", '"rm"'],
    ["ls > files", '"files"'],
    ["echo $(id; reboot)", '"reboot"'],
    ["echo $DB_PASSWORD", "$DB_PASSWORD discloses"],
    ['kubectl get pods; printf "%s" x$API_TOKEN', "$API_TOKEN discloses"],
    ["echo rm | sh", '"sh"'],
    ["hostname web2", '"web2"'],
    ["hostname $NEW", '"$NEW"'],
    ["date -s 12:00", '"-s"'],
    ["date 01020304", "01020304"],
    ["grep x /etc/shadow", '"grep"'],
    // What a shell makes flags of.
    ["journalctl $OPTS", "may become a flag"],
    ['journalctl "$OPTS"', "may become a flag"],
    ["journalctl -u x *", "may become a flag"],
    ["journalctl -u x -n $N", "may become a flag"],
    ["journalctl $X--rotate", '"$X--rotate" becomes a flag if "$X" is empty'],
    ["journalctl -u $X -t --rotate", '"--rotate" becomes a flag if "$X" is empty'],
    ["journalctl -u $X -- --rotate", '"--rotate" becomes a flag if "$X" is empty'],
    ["journalctl -u $(echo x --rotate)", "several words"],
    ['echo --rotate; journalctl "$_"', "may become a flag"],
    ["kubectl get $X", "may become a flag"],
    ['kubectl get "$X"', "may become a flag"],
    ["kubectl get deploy/$X", "may become a flag"],
    ["kubectl get pods $(echo --server=https://evil)", "may become a flag"],
    // biome-ignore lint/suspicious/noTemplateCurlyInString: what a shell fills in
    ["kubectl get pods ${X:--v9}", "may become a flag"],
    ["kubectl get pods api$IFS--as=admin", "may become a flag"],
    ["kubectl describe pod $X--as=admin", "becomes a flag if"],
    ["kubectl logs $(kubectl get pods -o jsonpath='--as=admin')", "may become a flag"],
    ["kubectl logs $(kubectl get pods -o name | sed 's/^/--as=x/')", "may become a flag"],
    ["kubectl config view $X", "may become a flag"],
    ["kubectl cluster-info $X", "may become a flag"],
    ["kubectl wait --for=create pod/x -n $NS", "several words"],
    ["kubectl -n $(echo prod delete pod api) get pods", "several words"],
    ["kubectl -n $UNSET get delete pod api", '"delete" becomes the verb'],
    ["kubectl -n $UNSET get get secrets -oyaml", '"get" becomes the verb'],
    ["kubectl -n {{ delete }} get pods", "another verb"],
    ["kubectl get -n $UNSET kube-system secrets -oyaml", '"secrets" may be the kind'],
    ['journalctl -u $X -t "$(echo --vacuum-size=1)"', "becomes a flag if"],
    ['journalctl -u $X -- "$(echo --rotate)"', "becomes a flag if"],
    ['kubectl get pods -n $X -l "$(echo --server=http://evil)"', "becomes a flag if"],
    ['kubectl get pods "$X" -l "$(echo --server=http://evil)"', "becomes a flag if"],
    ["uptime <<< x\nreboot", '"reboot"'],
    ["ssh web1 'uptime <<< x\nreboot'", '"reboot"'],
    ['kubectl get pods "$X" -l -v=9', '"-v=9" becomes a flag if "$X" is empty, or a flag'],
    ['kubectl get pods "$X" -l --raw=/api/v1/secrets', "becomes a flag if"],
    ['kubectl logs web "$X" -c --as=admin', "becomes a flag if"],
    ["kubectl get secrets -L $UNSET -n -oyaml", '"-oyaml" becomes a flag if'],
    ["docker buildx inspect $X", "may become a flag"],
    ["docker logs $(echo -H tcp://evil)", "may become a flag"],
    ["docker compose -p $X ps", "several words"],
    ["systemctl status $(echo -H evil)", "may become a flag"],
    ["systemctl -p $X show restart nginx", "several words"],
    ["du $X", "may become a flag"],
    ["date +$X", '"+$X"'],
    ["ps -o $X -C e", "several words"],
    ["printf $F x", "may be that"],
    ['printf "$F" x', "may be that"],
    ["kubectl get pods | grep $X", "may become files"],
    ["kubectl get pods | grep a*", "may become files"],
    ["kubectl get pods | head -n $X", "several words"],
    // What it makes several words of, and what another shell reads otherwise.
    ...[
      "journalctl {--vacuum-time=1s,--rotate}",
      "kubectl get {secrets,-oyaml}",
      "du {a,b}",
      "echo {1..3}",
    ].map((text): [string, string] => [text, "brace expansion"]),
    [`ssh web1 echo {'"',x}';reboot;'{'"',y}`, "brace expansion"],
    ["ls {a},b}", "brace expansion"],
    ["ls {'a b',c}", "brace expansion"],
    ["ssh web1 ls {x}$CMD", "expanded by the local shell"],
    ["ssh web1 ls ~$CMD", "expanded by the local shell"],
    ["ssh web1 ls ~/x", "expanded by the local shell"],
    ["ssh -p $PORT web1 uptime", "several words"],
    [
      `ssh web1 "echo $'a\\';reboot
'"`,
      "only by bash",
    ],
    ["echo $'a\\';reboot'", "other shells"],
    ["echo $[X=1]", "arithmetic"],
    ['echo "$\\\n(reboot)"', "a line continuation splits a word"],
    ["echo $DB_\\\nPASSWORD", "a line continuation splits a word"],
    ['echo "`echo \\"\'\\" ; reboot ; echo \\"\'\\"`"', "escaped quote"],
    ["kubectl get -f - <<EOF\nE\\\nOF\nreboot\nEOF", "here-document"],
    ["kubectl logs $(cat <<EOF\nx\nEOF\n)", "here-document"],
    // biome-ignore lint/suspicious/noTemplateCurlyInString: what a shell fills in
    ["echo DB_PASSWORD; echo ${!_}", "more than a plain variable"],
    ["echo root <x> /etc/passwd", 'writes to "/etc/passwd"'],
    ["echo root <x>/etc/passwd", "read as input"],
    ["echo root <x>|/etc/passwd", "read as input"],
    ["echo root <x> \\\n /etc/passwd", "writes to"],
    ["ssh web1 ls <a> /etc/x", 'writes to "/etc/x"'],
    ["kubectl logs <pod> Makefile", 'writes to "Makefile"'],
    ["journalctl <unit> -- $(echo --rotate)", 'writes to "--"'],
    ["kubectl -n <x delete pod y> get pods", '"pod"'],
    ["kubectl get secrets {{ -oyaml }}", '"yaml"'],
    ["echo {{ x | reboot }}", '"reboot"'],
    // What discloses.
    ["kubectl get secret db -v=9", "-v=9"],
    ["kubectl describe secret db -v 6", "-v=6"],
    ["kubectl get secret db -v=0 --v=08", "-v=08"],
    ["kubectl get pods -v $X", '"$X"'],
    ["kubectl get secret db --vmodule=round_trippers=9", "--vmodule"],
    ["kubectl wait --for=create secret/db -o yaml", "discloses"],
    ["kubectl get pods -o jsonpath-file=/etc/shadow", "prints a file"],
    [`kubectl get pods | awk '{print SYMTAB["ENV" "IRON"]["PATH"]}'`, "awk"],
    ["kubectl get pods | awk '{for (k in PROCINFO) print k}'", "awk"],
    ["if true; then kubectl get pods; fi", '"if"'],
    ["(kubectl get pods)", "groups"],
    [`kubectl patch deployment api -p '{"spec":{"paused":true}}'`, "paused"],
    [`kubectl patch deployment api --type=json -p '[]'`, "json"],
    [`kubectl patch deployment api -p '{"spec":{"template":{"spec":{"hostNetwork":true}}}}'`, "hostNetwork"],
    [`kubectl patch deployment api -p '{"spec":{"template":{}}}'`, "changes nothing"],
    ["ssh web1", "session"],
    ["ssh -J bastion web1 docker restart web", "another host"],
    ["ssh -o ProxyCommand=id web1 docker restart web", "ProxyCommand"],
    ["ssh -o StrictHostKeyChecking=no web1 docker restart web", "safeguard"],
    ["ssh root@web1 docker restart web", "configuration"],
    ["ssh -- -oProxyCommand=id uptime", "is not a host name"],
    ["ssh web1 docker restart 'web;reboot'", '"reboot"'],
    ["ssh web1 ssh web2 uptime", "another"],
    ["ssh web1 docker restart web db", '"db"'],
    ["docker run --privileged x", "docker run"],
    ["docker -H tcp://evil ps", "--host"],
    ["docker volume prune", "docker volume prune"],
    ["docker volume prune -af", "docker volume prune"],
    ["docker system prune --volumes", "volumes"],
    ["ssh web1 docker prune -af --volumes", "volumes"],
    ["docker system prune --filter label=x", "--filter"],
    ["docker image prune web", '"web"'],
    ["ssh web1 docker network prune -f", "docker network prune"],
    ["docker compose -f x.yaml restart web", "--file"],
    ["docker nonexistent", "nonexistent"],
    ["systemctl -H evil restart nginx", "--host"],
    ["systemctl stop nginx", "not a typed operation"],
    ["systemctl restart default.target", "is not a service"],
    ["systemctl restart systemd-reboot.service", "whole machine"],
    ["systemctl restart systemd-poweroff", "whole machine"],
    ["ssh web1 systemctl restart rescue.service", "whole machine"],
    ["ssh web1 sudo systemctl restart emergency", "whole machine"],
    ["systemctl restart systemd-fsck@dev-sda.service", "whole machine"],
    ["systemctl restart boot.automount", "is not a service"],
    ["journalctl --vacuum-size=1M", "deletes logs"],
    ["sudo -u postgres systemctl restart nginx", '"-u"'],
    ["sudo kubectl get pods", "under another identity"],
    ["helm rollback api", '"helm"'],
    ["RESTART_DEPLOYMENT", "no target"],
    ["SCALE_DEPLOYMENT", "how many replicas"],
    ["FORMAT_DISK", "FORMAT_DISK"],
    ["kubectl get pods 'x", "not closed"],
    ["kubectl get pods $(kubectl get po", "not closed"],
    [`kubectl get pods ${"$(".repeat(20)}`, "deep"],
    [`kubectl get pods ${"x".repeat(9_000)}`, "longer than"],
    ["kubectl get\0 pods", "NUL"],
    ["restart the api please", '"restart"'],
  ])("%s", (text, part) => {
    const parsed = parseOperation(text);
    expect(parsed).toMatchObject({ class: "refused", operation: null, approval: "none" });
    expect(parsed.reason).toContain(part);
  });
});

describe("a command that only reads", () => {
  it.each([
    "kubectl get pods -n <namespace> | grep api | wc -l",
    "kubectl -n $NS get events --sort-by='.lastTimestamp' | tail -30 || true",
    "kubectl get nodes -o json | jq -r '.items[].metadata.name' | sort | uniq -c",
    "kubectl get pods --no-headers | awk '{print $1, $5}'",
    "kubectl get pods -w",
    "kubectl get pods -o jsonpath={.items[*].metadata.name}",
    "docker top web -ef | sed -n '/nginx/p'",
    "ssh web1 kubectl get pods",
    "kubectl logs deploy/api -f --tail=20",
    "kubectl logs $(kubectl get pods -o name | head -1)",
    "kubectl get secrets -n prod",
    "kubectl auth can-i get pods > /dev/null 2>&1",
    "kubectl wait --for=condition=Ready pod/api --timeout=60s &",
    "kubectl config view --minify",
    "kubectl get -f - <<EOF\nkind: Pod\nEOF",
    "docker ps --format '{{.Names}}' && docker stats --no-stream",
    "docker logs --tail 50 web 2>&1 | grep -i error",
    "systemctl status nginx --no-pager",
    "journalctl -u nginx -n 50 -p err --since '1 hour ago'",
    "ssh -p 2222 user@web1 'docker ps; df -h'",
    "kubectl scale deploy/api --replicas=3 --dry-run=server",
    "docker compose --dry-run restart web",
    "ls",
    "ls -la /var/log | head -5",
    "sudo ls -1 *.log",
    "ssh web1 ls -lh /var/lib/docker",
    "echo hello",
    "echo $HOME | tr a-z A-Z",
    'printf "%s" done',
    "echo $(hostname -f) $(date +%s)",
    "df -h && free -m",
    "Disk check | df -h /",
    "ssh web1 'cat /proc/loadavg /etc/os-release; whoami; id -u'",
    "cat /var/log/nginx/error.log | tail -50",
    // Unknown words that can come to no flag that matters.
    "kubectl -n $NS get pod $POD -o yaml",
    'kubectl -n "$NS" get "deploy/$NAME" -o yaml',
    "kubectl describe pod $POD -n $NS",
    'kubectl logs --tail -1 "$POD" --since=5m',
    'kubectl logs "$POD" -c app --tail -1',
    'docker logs "$C" --since -5m',
    'systemctl status "$U" -n -5',
    "kubectl logs $POD -c $CONTAINER -n $NS --tail=50",
    "kubectl get secrets -n $NS",
    "kubectl get {{ kind }} -n {{namespace}} -o wide",
    "kubectl -n <namespace> logs <pod> -c <container>",
    "kubectl logs $(kubectl get pods -n $NS -l app=x -o jsonpath='{.items[0].metadata.name}')",
    "kubectl get pods -o jsonpath={.items[0].metadata.name} -v=5",
    "kubectl get pods | grep [n]ginx",
    'kubectl get pods | grep "$POD"',
    "docker inspect $(docker ps -q)",
    "docker logs --tail $N $NAME",
    "systemctl status $UNIT",
    'journalctl -u "$UNIT" -n 50',
    "journalctl -u $UNIT --since yesterday",
    "du -sh *",
    'date "+$FORMAT"',
    'printf "%s" $X',
    "ls $DIR {logs} a{b}c",
    'echo "{a,b}" {a\\,b}',
    "ssh web1 ls {dir}",
  ])("%s", (text) => {
    expect(parseOperation(text)).toMatchObject({ class: "read_only", approval: "none" });
  });

  it("carries its typed operation where there is one", () => {
    expect(said("kubectl get deploy/api -n prod -o wide")).toEqual([
      "read_only",
      "kubernetes.get",
      prod("deployment", "api"),
      {},
    ]);
    expect(said("kubectl logs api-1 -n prod -c web --previous --since=5m")).toEqual([
      "read_only",
      "kubernetes.logs",
      prod("pod", "api-1"),
      { container: "web", previous: true, since_seconds: 300 },
    ]);
    expect(said("kubectl top pods -A")).toEqual([
      "read_only",
      "kubernetes.top",
      null,
      { resource: "pod", all_namespaces: true },
    ]);
    expect(said("ssh web1 uptime")).toEqual([
      "read_only",
      "host.diagnose",
      { kind: "host", name: "web1" },
      {},
    ]);
    expect(said("df -h")).toEqual(["read_only", "host.diagnose", { kind: "host", name: "localhost" }, {}]);
    expect(said("echo hello")[1]).toBeUndefined();
    // A pipe shows less than the operation, and no operation shows secrets.
    expect(said("kubectl get pods | head")[1]).toBeUndefined();
    expect(said("kubectl get secret db")[1]).toBeUndefined();
  });
});

describe("names of actions", () => {
  const target = prod("deployment", "api");

  it.each([
    "NO_ACTION",
    "no-action",
    "NOACTION",
    "(未設)",
    "",
    "  ",
    "OBSERVE",
    "Observe it | kubectl delete pod x",
    "observed: nothing new",
    "NO_ACTION: pods are healthy",
    "Restart the API | NO_ACTION",
    "x (未設) y",
    "建議（未設）",
    "kubectl delete pod api -n prod\nNO-ACTION",
    "kubectl rollout restart deployment no-action",
    "kubectl rollout restart deployment/no-action",
  ])("nothing is done for %j", (text) => {
    expect(parseOperation(text)).toMatchObject({
      class: "read_only",
      operation: { kind: "none", target: null },
    });
  });

  it("act on the target that is known", () => {
    expect(parseOperation("INVESTIGATE: why", { target }).operation).toMatchObject({
      kind: "investigate",
      target,
    });
    expect(parseOperation("RESTART_DEPLOYMENT", { target })).toMatchObject({
      class: "operation",
      operation: { kind: "kubernetes.rollout_restart", target },
    });
    expect(parseOperation("RESTART_POD", { target }).reason).toContain("the target is a deployment");
  });

  it("fill {target} into a step, with its namespace", () => {
    const step = "kubectl rollout restart deployment/{target}";
    expect(parseOperation(step, { target }).operation).toMatchObject({ target });
    expect(parseOperation("kubectl delete pod {target}", { target }).class).toBe("refused");
    expect(parseOperation(`${step} -n other`, { target }).class).toBe("refused");
    const hostile = { ...target, name: "api -n kube-system" };
    expect(parseOperation(step, { target: hostile }).class).toBe("refused");
    const web = on("container", "web");
    expect(parseOperation("ssh web2 docker restart {target}", { target: web }).class).toBe("refused");
    expect(parseOperation("docker restart {target}", { target: web }).operation).toMatchObject({
      target: web,
    });
  });
});
