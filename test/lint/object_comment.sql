-- No public object of schema o2o, and no column of its tables and views, is
-- without a COMMENT.
WITH
o2o AS (SELECT 'o2o'::regnamespace::oid AS oid),
object(what, name, classid, objid, subid) AS
(
	SELECT 'schema', 'o2o', 'pg_namespace'::regclass::oid, oid, 0 FROM o2o
	UNION ALL
	SELECT 'function', p.oid::regprocedure::text, 'pg_proc'::regclass, p.oid, 0
	FROM pg_proc p, o2o WHERE p.pronamespace = o2o.oid
	UNION ALL
	SELECT 'type', t.oid::regtype::text, 'pg_type'::regclass, t.oid, 0
	FROM pg_type t LEFT JOIN pg_class c ON c.oid = t.typrelid, o2o
	WHERE t.typnamespace = o2o.oid
	AND t.typcategory <> 'A' AND (t.typrelid = 0 OR c.relkind = 'c')
	AND t.typtype <> 'm'
	UNION ALL
	SELECT 'operator', p.oid::regoperator::text, 'pg_operator'::regclass, p.oid, 0
	FROM pg_operator p, o2o WHERE p.oprnamespace = o2o.oid
	UNION ALL
	SELECT 'operator class', am.amname || ' ' || c.opcname, 'pg_opclass'::regclass, c.oid, 0
	FROM pg_opclass c JOIN pg_am am ON am.oid = c.opcmethod, o2o WHERE c.opcnamespace = o2o.oid
	UNION ALL
	SELECT 'cast', format('%s AS %s', s.oid::regtype, t.oid::regtype), 'pg_cast'::regclass, c.oid, 0
	FROM pg_cast c JOIN pg_type s ON s.oid = c.castsource JOIN pg_type t ON t.oid = c.casttarget, o2o
	WHERE o2o.oid IN (s.typnamespace, t.typnamespace)
	UNION ALL
	SELECT 'relation', c.oid::regclass::text, 'pg_class'::regclass, c.oid, 0
	FROM pg_class c, o2o
	WHERE c.relnamespace = o2o.oid AND c.relkind IN ('r', 'p', 'v', 'm', 'f') AND NOT c.relispartition
	UNION ALL
	SELECT 'column', format('%s.%s', c.oid::regclass, a.attname), 'pg_class'::regclass, c.oid, a.attnum
	FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid, o2o
	WHERE c.relnamespace = o2o.oid AND c.relkind IN ('r', 'p', 'v', 'm', 'f') AND NOT c.relispartition
	AND a.attnum > 0 AND NOT a.attisdropped
)
SELECT 'no comment', what, name FROM object
WHERE NOT EXISTS
	(SELECT FROM pg_description d
	 WHERE d.classoid = object.classid AND d.objoid = object.objid AND d.objsubid = object.subid
	 AND d.description ~ '\S')
ORDER BY what, name COLLATE "C";
