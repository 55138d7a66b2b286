#!/bin/bash
# Every test has its answer, every answer its test.
set -euo pipefail
cd "$(dirname "$0")/../.."
status=0

# pair QUESTIONS .EXT ANSWERS: the names on both sides are the same. An answer
# NAME_1.out is a second one for NAME.
pair()
{
	local file name
	for file in "$1"/*"$2"; do
		[ -e "$file" ] || continue
		name=$(basename "$file" "$2")
		[ -s "$3/$name.out" ] || { echo "$file has no answer $3/$name.out"; status=1; }
	done
	for file in "$3"/*.out; do
		[ -e "$file" ] || continue
		name=$(basename "$file" .out)
		[ -e "$1/$name$2" ] || [ -e "$1/${name%_[0-9]}$2" ] || { echo "$file has no test $1/$name$2"; status=1; }
	done
}

pair test/sql .sql expected
pair test/isolation/specs .spec test/isolation/expected
# pg_regress would read sql/NAME.sql instead of test/sql/NAME.sql.
for file in sql/*.sql; do
	[ ! -e "$file" ] || { echo "$file hides a test of that name: pieces live one level lower"; status=1; }
done
# A file with another ending is run by nobody, unless a TAP test reads it.
while read -r file; do
	if ! grep -qF "$file" test/t/*.pl; then
		echo "$file is run by nobody"
		status=1
	fi
done < <(find test/sql test/pgtap test/t test/lint test/isolation/specs -type f 2>/dev/null |
	grep -vE '^test/(sql/[^/]+\.sql|pgtap/[^/]+\.sql|t/[^/]+\.(pl|pm)|lint/[^/]+\.(sql|sh)|isolation/specs/[^/]+\.spec)$')
exit $status
