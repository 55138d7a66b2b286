#!/bin/bash
# The C sources look as .clang-format says.
set -euo pipefail
cd "$(dirname "$0")/../.."
status=0
command -v clang-format-14 >/dev/null || { echo 'skipped: no clang-format-14'; exit 77; }

while read -r file; do
	clang-format-14 --dry-run -Werror "$file" 2>/dev/null || { echo "$file: make format would change it"; status=1; }
done < <(find src -name '*.[ch]' -o -name '*.cc' | LC_ALL=C sort)
exit $status
