# SPDX-License-Identifier: ISC
#
# For tests that need a whole daemon.  Set NAME, then call setup; what it
# makes is under $dir and gone at the end, with every process.
#
#	setup [YAML...]		certificates, configuration, a running daemon
#	prepare [YAML...]	the same, without the daemon
#	ctl ...			mcpctl
#	add_user NAME ROLE...	a user and a key of his, in $dir/NAME.key
#	make_gate		a tool that answers when $dir/gate/open is there
#	rpc KEYFILE BODY [HEADER...]	a POST: $status, $reply
#	ok "what" / not_ok "what"

set -u
top=$(cd "$(dirname "$0")/../.." && pwd)
BUILD=${BUILD:-$top/build}
dir=$BUILD/regress/system/$NAME
uids=$((100000 + $$ % 500 * 64))	# its own, if others run beside it
cgroup=mcpd-regress-$NAME
daemon=
count=0
failures=0

ok() {
	count=$((count + 1))
	echo "ok $count - $NAME: $1"
}

not_ok() {
	count=$((count + 1))
	failures=$((failures + 1))
	echo "not ok $count - $NAME: $1"
	shift
	for line; do
		printf '%s\n' "$line" | sed 's/^/# /'
	done
}

# check "what" command...: the command's status tells.
check() {
	what=$1
	shift
	if "$@" >"$dir/said" 2>&1; then
		ok "$what"
	else
		not_ok "$what" "failed: $*" "$(cat "$dir/said")"
	fi
}

# expect "what" PATTERN TEXT: an extended regular expression.
expect() {
	if printf '%s' "$3" | grep -Eq -- "$2"; then
		ok "$1"
	else
		not_ok "$1" "no match of: $2" "in: $3"
	fi
}

ctl() {
	"$BUILD/bin/mcpctl" -s "$dir/run/control.sock" "$@"
}

# A port that nobody listens on now; the daemon says if it was taken.
free_port() {
	python3 -c 'import socket
s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

make_ca() {
	[ -f "$dir/ca.pem" ] && return
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
	    -days 2 -subj "/CN=regress CA" -keyout "$dir/ca.key" \
	    -out "$dir/ca.pem" 2>/dev/null
}

# make_certificate FILE SUBJECT SAN
make_certificate() {
	make_ca
	openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
	    -subj "$2" -keyout "$dir/$1.key" -out "$dir/$1.csr" 2>/dev/null
	printf 'subjectAltName=%s\n' "$3" >"$dir/$1.ext"
	openssl x509 -req -in "$dir/$1.csr" -CA "$dir/ca.pem" \
	    -CAkey "$dir/ca.key" -CAcreateserial -days 2 \
	    -extfile "$dir/$1.ext" -out "$dir/$1.pem" 2>/dev/null
}

make_tools() {
	mkdir -p "$dir/tools.d" "$dir/example"
	cp -R "$top/etc/example/docs" "$dir/example/"
	sqlite3 "$dir/example/inventory.db" <"$top/etc/example/inventory.sql"
	for tool in "$top"/etc/tools.d/*.yaml "$top"/regress/system/tools/*.yaml; do
		sed -e "s|/usr/share/mcpd/tools|$top/etc/tools|" \
		    -e "s|/usr/share/mcpd/example|$dir/example|" \
		    -e "s|@REGRESS@|$top/regress/system|" \
		    "$tool" >"$dir/tools.d/$(basename "$tool")"
	done
}

make_gate() {
	mkdir -p "$dir/gate"
	chmod 755 "$dir/gate"
	cat >"$dir/tools.d/gate.yaml" <<-END
	tools:
	  - name: gate
	    description: Answers when it is let.
	    command: [/bin/sh, -c, 'until [ -e /gate/open ]; do sleep 0.02; done; echo done']
	    files: [{source: $dir/gate, target: /gate}]
	    tier: container
	    level: low
	END
}

# The configuration, with further lines from the arguments.
make_configuration() {
	cat >"$dir/mcpd.yaml" <<-END
	include:
	  - tools.d/*.yaml
	  - $top/etc/policy.d/*.yaml
	  - $top/regress/system/policy/*.yaml
	listen:
	  - address: 127.0.0.1
	    port: $port
	    certificate: $dir/server.pem
	    key: file:$dir/server.key
	    client_certificates: optional
	    client_ca: $dir/ca.pem
	directories: {state: $dir/state, runtime: $dir/run}
	users: {base: $uids}
	sandbox: {cgroup: $cgroup}
	control: {metrics: {port: $metrics}}
	END
	for line; do
		printf '%s\n' "$line" >>"$dir/mcpd.yaml"
	done
}

# Starts the daemon and waits for the word that it is ready.
start() {
	: >"$dir/mcpd.log"
	"${ROOMS:-$BUILD}/sbin/mcpd" -d -L "${ROOMS:-$BUILD}/libexec/mcpd" \
	    -f "$dir/mcpd.yaml" 2>>"$dir/mcpd.log" &
	daemon=$!
	if ! timeout 60 tail -n +1 -f --pid="$daemon" "$dir/mcpd.log" |
	    grep -q -m 1 'msg=ready'; then
		not_ok "the daemon starts" "$(cat "$dir/mcpd.log")"
		exit 1
	fi
}

# Waits for a line of the log, from the beginning or from what mark
# remembered: await PATTERN [SECONDS [HOW-OFTEN]]
await() {
	[ "$(timeout "${2:-30}" tail -n "+${marked:-1}" -f --pid="$daemon" \
	    "$dir/mcpd.log" | grep -E -m "${3:-1}" -- "$1" | wc -l)" \
	    -eq "${3:-1}" ]
}

mark() {
	marked=$(($(wc -l <"$dir/mcpd.log") + 1))
}

# Waits for lines of the record: await_record PATTERN [HOW-OFTEN]
await_record() {
	[ "$(timeout 30 tail -n +1 -f --pid="$daemon" \
	    "$dir/state/audit/record.log" |
	    grep -E -m "${2:-1}" -- "$1" | wc -l)" -eq "${2:-1}" ]
}

# Waits until processes are gone: gone PID...
gone() {
	for pid; do
		timeout 30 tail -f --pid="$pid" /dev/null || return 1
	done
}

stop() {
	[ -n "$daemon" ] || return 0
	kill -TERM "$daemon" 2>/dev/null
	wait "$daemon"
	stopped=$?
	daemon=
	return $stopped
}

# Nothing of the daemon may be left anywhere.
check_nothing_left() {
	left=$(ps -eo pid,uid,args | awk -v dir="$dir/" -v uids="$uids" \
	    '($2 >= uids && $2 < uids + 64) || index($0, dir)' |
	    grep -v 'awk -v dir')
	[ -z "$left" ] && ok "no process is left" ||
	    not_ok "no process is left" "$left"
	left=$(find /sys/fs/cgroup -name "$cgroup*" 2>/dev/null)
	[ -z "$left" ] && ok "no cgroup is left" ||
	    not_ok "no cgroup is left" "$left"
	left=$(grep -F "$dir" /proc/self/mountinfo)
	[ -z "$left" ] && ok "no mount is left" ||
	    not_ok "no mount is left" "$left"
}

finish() {
	status=$?
	trap - EXIT INT TERM
	stop >/dev/null
	[ "$failures" -eq 0 ] && [ "$status" -eq 0 ] && rm -rf "$dir"
	echo "1..$count"
	[ "$failures" -eq 0 ] || exit 1
	exit "$status"
}

prepare() {
	rm -rf "$dir"
	mkdir -p "$dir"
	trap finish EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM
	port=$(free_port)
	metrics=$(free_port)
	url=https://localhost:$port/mcp
	make_certificate server /CN=localhost DNS:localhost,IP:127.0.0.1
	make_tools
	make_configuration "$@"
}

setup() {
	prepare "$@"
	start
}

add_user() {
	user=$1
	shift
	for role; do set -- "$@" -r "$role"; shift; done
	ctl user add "$user" "$@" >/dev/null
	new_key "$user"
}

# new_key USER [FILE] [mcpctl options]
new_key() {
	key_user=$1
	key_file=${2:-$1}
	shift
	[ $# -gt 0 ] && shift
	ctl -j key add "$key_user" "$@" >"$dir/$key_file.json"
	sed -n 's/.*"key":"\([^"]*\)".*/\1/p' "$dir/$key_file.json" \
	    >"$dir/$key_file.key"
	key_id=$(sed -n 's/.*"id":"\([^"]*\)".*/\1/p' "$dir/$key_file.json")
}

credential() {
	[ "$1" = - ] || printf 'header = "Authorization: Bearer %s"\n' \
	    "$(cat "$dir/$1.key")"
}

# Reads the reply into $reply, its status into $status; KEYFILE - is none.
rpc() {
	rpc_key=$1
	rpc_body=$2
	shift 2
	reply=$(credential "$rpc_key" |
	    curl -sS --max-time 60 --config - --cacert "$dir/ca.pem" \
	    -H 'Content-Type: application/json' \
	    -H 'Accept: application/json, text/event-stream' "$@" \
	    -D "$dir/headers" -w '\n%{http_code}' --data-binary "$rpc_body" \
	    "$url" 2>&1)
	status=$(printf '%s' "$reply" | tail -n 1)
	reply=$(printf '%s' "$reply" | sed '$d')
}

META='"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}'

# call KEYFILE TOOL ARGUMENTS [curl options]: a modern tools/call
call() {
	call_key=$1
	call_tool=$2
	call_arguments=$3
	shift 3
	rpc "$call_key" '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"'"$call_tool"'","arguments":'"$call_arguments,$META"'}}' \
	    -H 'MCP-Protocol-Version: 2026-07-28' \
	    -H 'Mcp-Method: tools/call' -H "Mcp-Name: $call_tool" "$@"
}
