#!/bin/bash
# What the built libraries export and need. PostgreSQL 15 loads all of them into
# one name space: whatever they export begins with o2o_, or PostgreSQL asks for it.
# o2o.so itself needs PROJ and the C library alone; the rest is a module's.
set -euo pipefail
cd "$(dirname "$0")/../../build/plain"
status=0

for library in *.so; do
	# The C++ runtime's own templates are weak in every C++ library.
	while read -r name; do
		echo "$library exports $name"
		status=1
	done < <(nm -D --defined-only "$library" | awk '
		$2 ~ /^[WVu]$/ && $3 ~ /^_Z/ { next }
		$NF !~ /^(o2o_[a-z0-9_]+|pg_finfo_o2o_[a-z0-9_]+|Pg_magic_func|_PG_init)$/ { print $NF }')
done

while read -r name; do
	echo "o2o.so needs $name"
	status=1
done < <(readelf -d o2o.so | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' | grep -vE '^lib(c|m|proj)\.so\.')
exit $status
