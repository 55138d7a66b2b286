-- Views are for reporting tools: their columns have built-in types only.
SELECT 'not a built-in type', c.oid::regclass, a.attname, format_type(a.atttypid, a.atttypmod)
FROM pg_class c
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
JOIN pg_type t ON t.oid = a.atttypid
WHERE c.relnamespace = 'o2o'::regnamespace AND c.relkind IN ('v', 'm')
AND t.typnamespace <> 'pg_catalog'::regnamespace
ORDER BY c.oid::regclass::text COLLATE "C", a.attnum;
