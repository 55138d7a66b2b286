#!/bin/bash
# The C sources look as .clang-format says; make format rewrites them.
set -euo pipefail
cd "$(dirname "$0")/../.."
find src -name '*.[ch]' -o -name '*.cc' | LC_ALL=C sort | xargs -r clang-format-14 --dry-run -Werror
