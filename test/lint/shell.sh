#!/bin/bash
# Every script in bash passes shellcheck.
set -euo pipefail
cd "$(dirname "$0")/../.."
find . -name node_modules -prune -o -path ./build -prune -o -path ./.git -prune -o -type f -print |
	LC_ALL=C sort | while read -r file; do
	case $file in
		*.sh) echo "$file" ;;
		*) [ "$(head -c 11 "$file" | tr -d '\0')" != '#!/bin/bash' ] || echo "$file" ;;
	esac
done | xargs -r shellcheck -x
