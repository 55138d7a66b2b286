-- Prints the reference in Markdown from the comments of schema o2o, room by
-- room. docs/generate runs it and hands over in PIECES which file makes what.
\set ON_ERROR_STOP on
\pset format unaligned
\pset tuples_only on
\pset recordsep '\n'
SET search_path = pg_catalog, pg_temp;
SET client_min_messages = warning;
\set pieces `printf '%s' "$PIECES"`

CREATE TEMP TABLE room (digit text, title text);
INSERT INTO room VALUES
	('0', 'The hall'), ('1', 'Base'), ('2', 'Identity'), ('3', 'Points'), ('4', 'Stores'),
	('5', 'Commerce'), ('6', 'Journeys'), ('7', 'Privacy'), ('8', 'Reports'), ('9', 'Cluster');

CREATE TEMP TABLE piece AS
SELECT split_part(line, ' ', 1) AS name, min(split_part(line, ' ', 2)) AS piece
FROM regexp_split_to_table(:'pieces', '\n') AS line WHERE line <> '' GROUP BY 1;

-- A Markdown cell: one line, bars escaped.
CREATE FUNCTION pg_temp.cell(text) RETURNS text LANGUAGE sql
RETURN replace(regexp_replace(coalesce($1, ''), '\s*\n\s*', ' ', 'g'), '|', '\|');

-- The piece that makes an object of that name; without one, the last room.
CREATE FUNCTION pg_temp.digit_of(text) RETURNS text LANGUAGE sql
BEGIN ATOMIC
	SELECT left(coalesce((SELECT piece FROM pg_temp.piece WHERE name = $1), '0'), 1);
END;

-- The name of the type of ours that an operator or a cast is about.
CREATE FUNCTION pg_temp.our_type(VARIADIC oid[]) RETURNS text LANGUAGE sql
BEGIN ATOMIC
	SELECT ltrim(t.typname, '_')
	FROM unnest($1) WITH ORDINALITY AS u(oid, nr) JOIN pg_type t ON t.oid = u.oid
	WHERE t.typnamespace = 'o2o'::regnamespace ORDER BY nr LIMIT 1;
END;

-- Names of types and defaults without the schemas of O2O and PostGIS, which may be any.
CREATE FUNCTION pg_temp.plain(text) RETURNS text LANGUAGE sql
BEGIN ATOMIC
	SELECT regexp_replace($1, '\m(o2o|' || (SELECT quote_ident(n.nspname)
		FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace WHERE e.extname = 'postgis') || ')\.', '', 'g');
END;
CREATE FUNCTION pg_temp.type_name(oid) RETURNS text LANGUAGE sql
RETURN pg_temp.plain(format_type($1, NULL));

-- Functions that one calls as an operator or a cast.
CREATE TEMP VIEW behind AS
SELECT p.oid FROM pg_proc p
WHERE p.pronamespace = 'o2o'::regnamespace
AND (EXISTS (SELECT FROM pg_operator o WHERE o.oprcode = p.oid)
	OR EXISTS (SELECT FROM pg_cast c WHERE c.castfunc = p.oid));

CREATE TEMP TABLE entry (digit text, part int, title text, sort text, body text);

INSERT INTO entry
SELECT pg_temp.digit_of(t.typname), 1, 'Types', t.typname,
	format(E'#### `%s`\n\n%s\n', t.typname, obj_description(t.oid, 'pg_type'))
FROM pg_type t LEFT JOIN pg_class c ON c.oid = t.typrelid
WHERE t.typnamespace = 'o2o'::regnamespace AND t.typcategory <> 'A' AND t.typtype <> 'm'
AND (t.typrelid = 0 OR c.relkind = 'c');

INSERT INTO entry
SELECT pg_temp.digit_of(p.proname), 2,
	CASE p.prokind WHEN 'a' THEN 'Aggregates' ELSE 'Functions' END,
	p.proname || ' ' || pg_get_function_identity_arguments(p.oid),
	format(E'#### `%s(%s)`%s\n\n%s\n', p.proname,
		pg_temp.plain(pg_get_function_arguments(p.oid)),
		CASE WHEN p.prokind = 'p' THEN ' (procedure)'
			ELSE ' → `' || pg_temp.plain(pg_get_function_result(p.oid)) || '`' END,
		obj_description(p.oid, 'pg_proc'))
FROM pg_proc p
WHERE p.pronamespace = 'o2o'::regnamespace
-- What only a type, an operator class or an aggregate calls is told there.
AND NOT EXISTS (SELECT FROM pg_type t WHERE p.oid IN
	(t.typinput, t.typoutput, t.typreceive, t.typsend, t.typmodin, t.typmodout, t.typanalyze))
AND NOT EXISTS (SELECT FROM pg_amproc a WHERE a.amproc = p.oid)
AND NOT EXISTS (SELECT FROM pg_aggregate a WHERE p.oid IN
	(a.aggtransfn, a.aggfinalfn, a.aggcombinefn, a.aggserialfn, a.aggdeserialfn,
	 a.aggmtransfn, a.aggminvtransfn, a.aggmfinalfn))
AND NOT EXISTS (SELECT FROM pg_proc f WHERE f.prosupport = p.oid)
AND NOT EXISTS (SELECT FROM behind WHERE behind.oid = p.oid);

INSERT INTO entry
SELECT pg_temp.digit_of(p.proname), 8, 'Behind operators and casts', p.oid::regprocedure::text,
	format('| `%s(%s)` | %s |', p.proname, pg_temp.plain(pg_get_function_identity_arguments(p.oid)),
		pg_temp.cell(obj_description(p.oid, 'pg_proc')))
FROM pg_proc p JOIN behind ON behind.oid = p.oid;

INSERT INTO entry
SELECT pg_temp.digit_of(pg_temp.our_type(o.oprleft, o.oprright)), 3, 'Operators',
	o.oprname || ' ' || o.oprleft::regtype || ' ' || o.oprright::regtype,
	format('| `%s` | `%s` | %s |',
		pg_temp.cell(concat_ws(' ', nullif(pg_temp.type_name(o.oprleft), '-'), o.oprname, pg_temp.type_name(o.oprright))),
		pg_temp.type_name(o.oprresult), pg_temp.cell(obj_description(o.oid, 'pg_operator')))
FROM pg_operator o WHERE o.oprnamespace = 'o2o'::regnamespace;

INSERT INTO entry
SELECT pg_temp.digit_of(pg_temp.our_type(c.castsource, c.casttarget)), 4, 'Casts',
	c.castsource::regtype || ' ' || c.casttarget::regtype,
	format('| `%s` → `%s` | %s | %s |', pg_temp.type_name(c.castsource), pg_temp.type_name(c.casttarget),
		CASE c.castcontext WHEN 'i' THEN 'implicit' WHEN 'a' THEN 'in assignment' ELSE 'explicit' END,
		pg_temp.cell(obj_description(c.oid, 'pg_cast')))
FROM pg_cast c WHERE pg_temp.our_type(c.castsource, c.casttarget) IS NOT NULL;

INSERT INTO entry
SELECT pg_temp.digit_of(c.opcname), 5, 'Operator classes', c.opcname || ' ' || am.amname,
	format('| `%s` | %s | `%s`%s | %s |', c.opcname, am.amname, pg_temp.type_name(c.opcintype),
		CASE WHEN c.opcdefault THEN ' (default)' ELSE '' END,
		pg_temp.cell(obj_description(c.oid, 'pg_opclass')))
FROM pg_opclass c JOIN pg_am am ON am.oid = c.opcmethod WHERE c.opcnamespace = 'o2o'::regnamespace;

INSERT INTO entry
SELECT pg_temp.digit_of(c.relname), CASE WHEN c.relkind IN ('v', 'm') THEN 7 ELSE 6 END,
	CASE WHEN c.relkind IN ('v', 'm') THEN 'Views' ELSE 'Tables' END, c.relname,
	format(E'#### `%s`\n\n%s\n\n| column | type | |\n|---|---|---|\n%s\n', c.relname,
		obj_description(c.oid, 'pg_class'),
		(SELECT string_agg(format('| `%s` | `%s`%s | %s |', a.attname,
				pg_temp.plain(format_type(a.atttypid, a.atttypmod)),
				CASE WHEN a.attnotnull THEN ' not null' ELSE '' END,
				pg_temp.cell(col_description(c.oid, a.attnum))), E'\n' ORDER BY a.attnum)
		 FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped))
FROM pg_class c
WHERE c.relnamespace = 'o2o'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm') AND NOT c.relispartition;

\echo '# Reference'
\echo
\echo 'Made from the comments of the database by `docs/generate`, do not edit. All names are in schema `o2o`.'
\echo

SELECT body FROM
(
	SELECT digit, 0 AS part, '' AS title, 0 AS rank, '' AS sort, format(E'## %s\n', room.title) AS body
	FROM room WHERE EXISTS (SELECT FROM entry WHERE entry.digit = room.digit)
	UNION ALL
	SELECT DISTINCT digit, part, title, 1, '', format(E'### %s\n', title) ||
		CASE part
			WHEN 3 THEN E'\n| operator | gives | |\n|---|---|---|'
			WHEN 4 THEN E'\n| cast | how | |\n|---|---|---|'
			WHEN 5 THEN E'\n| class | method | type | |\n|---|---|---|---|'
			WHEN 8 THEN E'\n| function | |\n|---|---|'
			ELSE ''
		END
	FROM entry
	UNION ALL
	SELECT digit, part, title, 2, sort, body FROM entry
	UNION ALL
	SELECT DISTINCT digit, part, title, 3, '', '' FROM entry WHERE part IN (3, 4, 5, 8)
) line
ORDER BY digit, part, title COLLATE "C" DESC, rank, sort COLLATE "C", body COLLATE "C";
