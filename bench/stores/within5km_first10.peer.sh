# Redis GEOSEARCH BYRADIUS 5 km ASC COUNT 10, on a sphere; CPU of the server process, its protocol included
# count: 10000 searches
# shellcheck shell=bash
#
# A redis-server of its own on a socket, nothing on disk: loaded, asked once
# unmeasured and once measured, and gone again.
set -euo pipefail
dir=$(mktemp -d)
redis-server --port 0 --unixsocket "$dir/socket" --save '' --appendonly no --dir "$dir" --daemonize no >"$dir/log" &
server=$!
trap 'kill $server; wait $server || true; rm -rf "$dir"' EXIT
until redis-cli -s "$dir/socket" ping >/dev/null 2>&1; do sleep 0.1; done

query()
{
	psql -X -q -At -F ' ' -d bench -c "$1"
}

# Nanoseconds on a CPU, and since the machine started.
spent()
{
	cut -d ' ' -f 1 "/proc/$server/schedstat"
	date +%s%N
}

query "SELECT 'GEOADD stores', o2o.geo_longitude(pos), o2o.geo_latitude(pos), id FROM store_hilbert" | redis-cli -s "$dir/socket" --pipe >/dev/null
query "SELECT 'GEOSEARCH stores FROMLONLAT', o2o.geo_longitude(pos), o2o.geo_latitude(pos), 'BYRADIUS 5 km ASC COUNT 10 WITHDIST' FROM asked" >"$dir/asked"
redis-cli -s "$dir/socket" <"$dir/asked" >/dev/null
mapfile -t before < <(spent)
redis-cli -s "$dir/socket" <"$dir/asked" >/dev/null
mapfile -t after < <(spent)
awk -v cpu=$((after[0] - before[0])) -v wall=$((after[1] - before[1])) \
	'BEGIN { printf "!\t%.6f s user, 0.000000 s system, %.6f s elapsed\n", cpu / 1e9, wall / 1e9 }' >&2
