# shellcheck shell=bash disable=SC2034
#
# server.sh
#	What ./demo/run, ./test/run, ./bench/run and docs/generate share: Debian
#	packages, build, a private copy of PostgreSQL, throwaway servers, progress
#	lines and logs. What is tested, shown or measured lives in those scripts.
#
#	A script does, in this order:
#		. "$ROOT/test/lib/server.sh"; harness_start
#		packages_need make g++ ...; private_postgres
#		build_flavour plain; install_flavour plain
#		server_start main; "$PG_BIN/psql" -X -d postgres ...
#	Everything outside build/ lies in $WORK, which goes away with the script.

# PostgreSQL's version: what PG_MAJOR says, or else the one of this release of Debian or Ubuntu.
postgres_of_release()
{
	local VERSION_CODENAME=
	# shellcheck source=/dev/null
	[ ! -r /etc/os-release ] || . /etc/os-release
	case $VERSION_CODENAME in
		noble) echo 16 ;;
		trixie) echo 17 ;;
		forky | sid) echo 18 ;;
		*) echo 15 ;;
	esac
}

PG_MAJOR=${PG_MAJOR:-$(postgres_of_release)}
PG_HOME=/usr/lib/postgresql/$PG_MAJOR
BUILD_PACKAGES=(
	make gcc g++ "postgresql-$PG_MAJOR" "postgresql-server-dev-$PG_MAJOR"
	"postgresql-$PG_MAJOR-postgis-3" libproj-dev libphonenumber-dev libidn2-dev libicu-dev
)

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
LOG=$ROOT/build/log
WORK=
KEEP_WORK=
HUGE_MEGABYTES=
TICKER=
SERVERS=()
APT_UNDO=()

# One line to the reader.
say()
{
	printf '%s\n' "$*"
}

die()
{
	printf '%s: %s\n' "${0##*/}" "$*" >&2
	exit 1
}

# Seconds since the epoch with three decimals.
now()
{
	printf '%s' "${EPOCHREALTIME%???}"
}

seconds_since()
{
	awk -v a="$1" -v b="$(now)" 'BEGIN { printf "%.1f", b - a }'
}

# note_time SECONDS WHAT: one more line of build/log/times.txt.
note_time()
{
	printf '%s  %8s s  %s: %s\n' "$(date -u +%FT%TZ)" "$1" "$(basename "$(dirname "$0")")/${0##*/}" "$2" >>"$LOG/times.txt"
}

# Logs, lock, clean environment and the trap that takes everything away again.
harness_start()
{
	cd "$ROOT"
	[[ $ROOT != *[[:space:]]* ]] || die "make cannot build in a path with a space: $ROOT"
	mkdir -p "$LOG" || die "cannot write to $ROOT/build (made by another user? remove it)"
	# A script that one of these scripts calls works under its caller's lock.
	if [ -z "${O2O_LOCKED:-}" ]; then
		exec 9>"$ROOT/build/lock"
		flock -n 9 || die "another run is using $ROOT/build"
		export O2O_LOCKED=$$
	fi
	trap harness_end EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM HUP
	local name
	for name in "${!PG@}"; do
		case $name in PG_MAJOR | PG_HOME) ;; *) unset "$name" ;; esac
	done
	unset MAKEFLAGS MAKELEVEL MFLAGS
	export LC_ALL=C.UTF-8
	if [ "$(id -u)" = 0 ]; then SERVER_USER=postgres; else SERVER_USER=$(id -un); fi
}

# Stop what runs, remove what is outside build/, hand build/ to the sudo caller.
harness_end()
{
	local status=$? name
	trap - EXIT
	trap '' INT TERM HUP
	set +e
	ticker_stop
	if [ -n "$WORK" ] && [ -z "$KEEP_WORK" ]; then
		for name in "${SERVERS[@]}"; do server_stop "$name"; done
		rm -rf "$WORK"
	fi
	if [ "$(id -u)" = 0 ] && [ -n "${SUDO_UID:-}" ]; then
		chown -R "$SUDO_UID:${SUDO_GID:-$SUDO_UID}" "$ROOT/build"
	fi
	exit "$status"
}

# Leave $WORK and its servers behind when the script ends.
work_keep()
{
	KEEP_WORK=yes
}

# After 5 seconds, and then every 10, the newest line of LOG with the time so far.
ticker_start()
{
	(
		trap - EXIT INT TERM HUP
		waited=5
		sleep 5 >/dev/null 2>&1 9>&-
		while :; do
			printf '  ... %3s s  %.100s\n' "$waited" "$(tail -n 1 "$1" 2>/dev/null)"
			sleep 10 >/dev/null 2>&1 9>&-
			waited=$((waited + 10))
		done
	) 9>&- &
	TICKER=$!
}

ticker_stop()
{
	[ -n "$TICKER" ] || return 0
	kill "$TICKER" 2>/dev/null || true
	wait "$TICKER" 2>/dev/null || true
	TICKER=
}

# step_try LOG WHAT COMMAND...: run it with its output in build/log/LOG.log and
# leave its exit status in STEP_STATUS, its seconds in STEP_SECONDS. Never call
# it in a condition: bash would switch errexit off inside COMMAND.
step_try()
{
	local log=$LOG/$1.log what=$2 begun
	shift 2
	begun=$(now)
	ticker_start "$log"
	set +e
	( set -e; "$@" ) >"$log" 2>&1 </dev/null
	STEP_STATUS=$?
	set -e
	ticker_stop
	STEP_SECONDS=$(seconds_since "$begun")
	note_time "$STEP_SECONDS" "$what"
}

# step LOG WHAT COMMAND...: the same with a line that says so; a failure ends the script.
step()
{
	say "$2"
	step_try "$@"
	[ "$STEP_STATUS" = 0 ] || step_failed "$1" "$2"
}

step_failed()
{
	tail -n 20 "$LOG/$1.log" >&2
	die "failed: $2; log: build/log/$1.log"
}

# packages_need PACKAGE...: install what is missing, and call apt-get only then.
# COMMAND:PACKAGE is there as soon as COMMAND is, whoever installed it.
packages_need()
{
	local want missing=()
	for want in "$@"; do
		case $want in
			*:*) command -v "${want%%:*}" >/dev/null || missing+=("${want#*:}") ;;
			*) package_installed "$want" || missing+=("$want") ;;
		esac
	done
	[ "${#missing[@]}" -gt 0 ] || return 0
	command -v apt-get >/dev/null || die "missing: ${missing[*]} (only Debian's apt-get is known here)"
	local sudo=()
	if [ "$(id -u)" != 0 ]; then
		command -v sudo >/dev/null || die "missing packages: ${missing[*]}; run this as root or install sudo"
		sudo=(sudo)
		sudo -v || die "missing packages: ${missing[*]}; sudo refused"
	fi
	step packages "Installing from Debian: ${missing[*]}" packages_install "${missing[@]}"
}

package_installed()
{
	[ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

apt_get()
{
	"${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -y -q -o DPkg::Lock::Timeout=120 "$@"
}

# No server of the machine is created, started or restarted by the installation:
# policy-rc.d refuses that to every package meanwhile, and postgresql-common is
# told to make no default cluster. Both are put back as they were.
packages_install()
{
	local policy=/usr/sbin/policy-rc.d conf=/etc/postgresql-common/createcluster.conf
	trap packages_restore EXIT
	apt_get update
	if [ ! -e $policy ]; then
		APT_UNDO+=("${sudo[*]} rm -f $policy")
		printf '#!/bin/sh\nexit 101\n' | "${sudo[@]}" tee $policy >/dev/null
		"${sudo[@]}" chmod 755 $policy
	fi
	if ! package_installed "postgresql-$PG_MAJOR"; then
		apt_get install --no-install-recommends postgresql-common
		APT_UNDO+=("${sudo[*]} mv -f $conf.before-o2o $conf")
		"${sudo[@]}" cp -p $conf $conf.before-o2o
		printf 'create_main_cluster = false\n' | "${sudo[@]}" tee -a $conf >/dev/null
	fi
	apt_get install --no-install-recommends "$@"
}

packages_restore()
{
	local undo
	for undo in "${APT_UNDO[@]}"; do eval "$undo"; done
}

# npm_tree FOLDER NAME: a copy of a folder with a package-lock.json in
# build/NAME, with exactly the packages of that lock; nothing in the clone.
npm_tree()
{
	local tree=$ROOT/build/$2
	mkdir -p "$tree"
	find "$ROOT/$1" -maxdepth 1 -type f -exec cp -p {} "$tree" ';'
	if ! cmp -s "$tree/package-lock.json" "$tree/node_modules/.of-lock"; then
		( cd "$tree" && npm ci --ignore-scripts --no-audit --no-fund )
		cp "$tree/package-lock.json" "$tree/node_modules/.of-lock"
	fi
}

as_server_user()
{
	if [ "$(id -u)" = 0 ]; then runuser -u "$SERVER_USER" -- "$@" 9>&-; else "$@" 9>&-; fi
}

# A copy of the machine's PostgreSQL in $WORK/pg, found by its own binaries as
# theirs: nothing is ever installed into the machine's. $WORK is closed to all
# but the server's user, and its path is short enough for a socket.
private_postgres()
{
	local base
	for base in "${TMPDIR:-/tmp}" /tmp; do
		[ "${#base}" -le 60 ] && as_server_user test -w "$base" && break
	done
	WORK=$(mktemp -d "$base/o2o.XXXXXX")
	mkdir "$WORK/pg"
	tar -C / -ch --exclude=bitcode --exclude=contrib --exclude=man "${PG_HOME#/}" "usr/share/postgresql/$PG_MAJOR" |
		tar -C "$WORK/pg" -x
	PG_BIN=$WORK/pg$PG_HOME/bin
	PG_SHARE=$WORK/pg/usr/share/postgresql/$PG_MAJOR
	PG_TEST=$WORK/pg$PG_HOME/lib/pgxs/src/test
	PATH=$PG_BIN:$PATH
	if [ "$(id -u)" = 0 ]; then
		chmod -R go+rX "$WORK/pg"
		chown "$SERVER_USER" "$WORK"
	fi
}

# build_flavour NAME [MAKE ARGUMENT...]: compile a copy of the sources in
# build/NAME, so that flavours do not disturb each other nor the clone.
build_flavour()
{
	local name=$1
	shift
	step "build-$name" "Building ($name)" flavour_make "$name" "$@"
}

flavour_make()
{
	local name=$1 tree=$ROOT/build/$1 list=$ROOT/build/$1.list
	shift
	mkdir -p "$tree"
	cd "$ROOT"
	find Makefile O2O.control sql src test expected -name node_modules -prune -o -type f \
		! -name '*.o' ! -name '*.d' ! -name '*.so' -print 2>/dev/null | LC_ALL=C sort >"$list.new"
	if [ -e "$list" ]; then
		LC_ALL=C comm -23 "$list" "$list.new" | while read -r gone; do
			rm -f "$tree/$gone" "$tree/${gone%.*}.o" "$tree/${gone%.*}.d" "$tree"/*.so
		done
	fi
	mv "$list.new" "$list"
	# make knows no flags and no version of an object file: after a change of these, all anew.
	if [ -e "$tree/Makefile" ] && { [ Makefile -nt "$tree/Makefile" ] || [ O2O.control -nt "$tree/O2O.control" ]; }; then
		make -s -C "$tree" PG_CONFIG="$PG_HOME/bin/pg_config" clean
	fi
	tr '\n' '\0' <"$list" | xargs -0 cp -pu --parents -t "$tree"
	make -s -j"$(nproc)" -C "$tree" PG_CONFIG="$PG_HOME/bin/pg_config" WERROR=-Werror "$@"
}

# Into the private PostgreSQL; a server that runs already takes the new library
# with its next connection.
install_flavour()
{
	step_try "install-$1" "Installing ($1)" flavour_install "$@"
	[ "$STEP_STATUS" = 0 ] || step_failed "install-$1" "Installing ($1)"
}

flavour_install()
{
	local name=$1
	shift
	make -s -C "$ROOT/build/$name" PG_CONFIG="$PG_HOME/bin/pg_config" WERROR=-Werror "$@" \
		DESTDIR="$WORK/pg" install
	if compgen -G "$ROOT/test/upgrade/*.sql" >/dev/null; then
		cp "$ROOT"/test/upgrade/*.sql "$PG_SHARE/extension/"
	fi
	[ "$(id -u)" != 0 ] || chmod -R go+rX "$WORK/pg"
}

# server_start NAME [SETTING=VALUE...]: a new server in $WORK/NAME on a Unix
# socket there, no port; PGHOST and PGUSER lead to it from then on.
server_start()
{
	local name=$1 dir=$WORK/$1 setting options="-k $WORK/$1 -c listen_addresses="
	shift
	for setting in fsync=off full_page_writes=off synchronous_commit=off shared_buffers=256MB \
		max_connections=60 timezone=UTC lc_messages=C log_line_prefix='%m_[%p]_' "$@"; do
		options+=" -c $setting"
	done
	export PGHOST=$dir PGUSER=postgres
	SERVERS+=("$name")
	step_try "server-$name" "Starting the server ($name)" server_make "$dir" "$options"
	if [ "$STEP_STATUS" != 0 ]; then
		as_server_user cat "$dir/log" >>"$LOG/server-$name.log" 2>/dev/null || true
		step_failed "server-$name" "Starting the server ($name)"
	fi
}

# So many megabytes of huge pages for a server that starts now, where the machine lets us.
# Its number of them is put back as it was at the end of the step: what a server has by
# then stays with it as surplus, and the kernel takes it back when the server ends.
huge_pages_lend()
{
	local number=/proc/sys/vm/nr_hugepages had
	[ -w $number ] || return 0
	had=$(<$number)
	# shellcheck disable=SC2064
	trap "echo $had >$number" EXIT
	awk -v had="$had" -v kilobytes=$(($1 * 1024)) '/^HugePages_Surp:/ { surplus = $2 } /^Hugepagesize:/ { size = $2 }
		END { print had + surplus + int(kilobytes / size) }' /proc/meminfo >$number || true
}

# The first initdb is kept and copied for the servers after it.
server_make()
{
	local dir=$1 options=$2
	cd "$WORK"
	[ -z "$HUGE_MEGABYTES" ] || huge_pages_lend "$HUGE_MEGABYTES"
	if [ ! -d "$WORK/initdb" ]; then
		as_server_user initdb -D "$WORK/initdb" -U postgres -A trust --no-sync -E UTF8 --locale=C.UTF-8
	fi
	as_server_user mkdir -m 700 "$dir"
	as_server_user cp -a "$WORK/initdb" "$dir/data"
	as_server_user pg_ctl -D "$dir/data" -l "$dir/log" -s -w -t 60 -o "$options" start
}

# Stop it and keep its log in build/log.
server_stop()
{
	local dir=$WORK/$1
	[ -e "$dir/data/postmaster.pid" ] || return 0
	( cd "$WORK" && as_server_user pg_ctl -D "$dir/data" -s -w -m immediate stop ) 2>/dev/null || true
	cat "$dir/log" >>"$LOG/server-$1.log" 2>/dev/null || true
}

# One statement or file, first error ends it.
sql()
{
	psql -X -q -v ON_ERROR_STOP=1 -At "$@"
}

# server_database NAME: a database with the extension; and the model as soon as
# there is one, owned by shop_owner, who is no superuser.
server_database()
{
	sql -d postgres -c "CREATE DATABASE $1"
	sql -d "$1" -c 'SET client_min_messages = warning' -c 'CREATE EXTENSION "O2O" CASCADE'
	if [ "$(sql -d "$1" -c "SELECT to_regprocedure('o2o.setup(name, boolean)') IS NOT NULL")" = t ]; then
		sql -d "$1" -v ON_ERROR_STOP=1 <<-'SQL'
			SELECT 'CREATE ROLE shop_owner LOGIN' WHERE to_regrole('shop_owner') IS NULL \gexec
			SET client_min_messages = warning;
			GRANT USAGE, CREATE ON SCHEMA o2o TO shop_owner;
			SET ROLE shop_owner;
			CALL o2o.setup();
		SQL
	fi
}
