#!/bin/bash
# docs/errors.md has a row for each SQLSTATE of class O2 that the sources raise,
# and for no other; a comment names none that nobody raises.
set -euo pipefail
cd "$(dirname "$0")/../.."
status=0

raised()
{
	{
		grep -rhoE "ERRCODE = 'O2[0-9]{3}'" sql | grep -oE 'O2[0-9]{3}'
		grep -rhoE "MAKE_SQLSTATE\('O', '2', '[0-9]', '[0-9]', '[0-9]'\)" src | sed -E 's/[^O0-9]//g'
	} | LC_ALL=C sort -u
}

named()
{
	# O2000 is the class as a whole, where PL/pgSQL catches it.
	grep -rhoE '\<O2[0-9]{3}\>' sql src --include='*.sql' --include='*.[ch]' --include='*.cc' | grep -v O2000 | LC_ALL=C sort -u
}

listed()
{
	sed -nE 's/^\| (O2[0-9]{3}) \|.*/\1/p' docs/errors.md
}

diff <(raised) <(listed) >&2 || { echo 'docs/errors.md: < raised and not listed, > listed and not raised'; status=1; }
diff <(raised) <(named) >&2 || { echo 'sources: > named in a comment and not raised'; status=1; }
exit $status
