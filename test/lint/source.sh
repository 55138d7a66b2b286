#!/bin/bash
# Habits of the sources: a door plate with the file's name first, 500 lines at
# most, and the server's version asked for in src/compat.h alone.
set -euo pipefail
cd "$(dirname "$0")/../.."
status=0

while read -r file; do
	lines=$(wc -l <"$file")
	[ "$lines" -le 500 ] || { echo "$file: $lines lines"; status=1; }
	[ "$(head -n 2 "$file")" = $'/*\n * '"${file##*/}" ] ||
		{ echo "$file: does not begin with a door plate '/*' ' * ${file##*/}'"; status=1; }
done < <(find src -name '*.[ch]' -o -name '*.cc' | LC_ALL=C sort)
if grep -rn PG_VERSION_NUM src | grep -v '^src/compat\.h:'; then
	status=1
fi
exit $status
