#!/bin/bash
# docs/views.md says below its marker what the comments of the views say.
set -euo pipefail
cd "$(dirname "$0")/../.."

said()
{
	psql -X -q -v ON_ERROR_STOP=1 -At -d shop <<-'SQL'
		SELECT format(E'## %s\n\n%s\n\n| Column | Type | Meaning |\n|---|---|---|\n%s\n', c.relname, obj_description(c.oid, 'pg_class'),
			(SELECT string_agg(format('| `%s` | %s | %s |', a.attname, format_type(a.atttypid, a.atttypmod),
					replace(col_description(c.oid, a.attnum), '|', '\|')), E'\n' ORDER BY a.attnum)
				FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0))
		FROM pg_class c
		WHERE c.relkind = 'v' AND c.relnamespace = 'o2o'::regnamespace
		ORDER BY c.relname = 'customer_ref', c.relname COLLATE "C";
	SQL
}

diff -u <(sed '1,/^<!-- The rest is/d' docs/views.md) <(echo; said) || { echo 'docs/views.md differs from the comments of the views'; exit 1; }
