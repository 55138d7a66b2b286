-- With o2o in the search_path every expression over built-in types means what it
-- meant without: same operator or function, or the same error. An implicit cast to
-- a type of ours can otherwise make 2 * 1.5 ambiguous.
SET client_min_messages = warning;
CREATE TEMP TABLE expression (text text, without text, with_o2o text);

WITH
builtin(arg) AS (SELECT 'NULL::' || unnest(ARRAY['smallint', 'integer', 'bigint', 'numeric', 'real', 'double precision',
	'text', 'varchar', 'name', 'boolean', 'date', 'timestamptz', 'interval', 'uuid', 'jsonb', 'point', 'integer[]', 'text[]'])
	UNION ALL SELECT 'NULL' UNION ALL SELECT '''1'''),
op AS (SELECT DISTINCT oprname, oprleft = 0 AS prefix FROM pg_operator WHERE oprnamespace = 'o2o'::regnamespace),
function AS
(
	SELECT DISTINCT o.proname FROM pg_proc o JOIN pg_proc c USING (proname)
	WHERE o.pronamespace = 'o2o'::regnamespace AND c.pronamespace = 'pg_catalog'::regnamespace
)
INSERT INTO expression (text)
SELECT format('%s %s %s', l.arg, oprname, r.arg) FROM op, builtin l, builtin r WHERE NOT prefix
UNION ALL
SELECT format('%s %s', oprname, r.arg) FROM op, builtin r WHERE prefix
UNION ALL
SELECT format('%I(%s)', proname, r.arg) FROM function, builtin r
UNION ALL
SELECT format('%I(%s, %s)', proname, l.arg, r.arg) FROM function, builtin l, builtin r;

-- What the expression comes to: its type, or the error.
CREATE FUNCTION pg_temp.meaning(expression text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	found text;
BEGIN
	EXECUTE format('SELECT pg_catalog.pg_typeof(%s)', expression) INTO found;
	RETURN found;
EXCEPTION WHEN OTHERS THEN
	RETURN SQLSTATE;
END $$;

SET search_path = pg_catalog, public;
UPDATE pg_temp.expression SET without = pg_temp.meaning(text);
SET search_path = pg_catalog, public, o2o;
UPDATE pg_temp.expression SET with_o2o = pg_temp.meaning(text);
-- 42883, no such operator, may become one of ours.
SELECT text, 'is ' || without || ', with o2o ' || with_o2o FROM pg_temp.expression
WHERE without IS DISTINCT FROM with_o2o AND without <> '42883'
ORDER BY text COLLATE "C";
