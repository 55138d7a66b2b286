-- No function of schema o2o finds its objects through the caller's search_path:
-- it is C, or parsed at CREATE (RETURN, BEGIN ATOMIC), or sets the path itself.
SELECT 'open to search_path', p.oid::regprocedure, l.lanname
FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang
WHERE p.pronamespace = 'o2o'::regnamespace
AND l.lanname NOT IN ('c', 'internal')
AND p.prosqlbody IS NULL
AND NOT coalesce('search_path=pg_catalog, pg_temp' = ANY (p.proconfig), false)
AND (p.proname NOT IN ('maintain', 'identity_resolve_batch') OR p.prosecdef)	-- they commit, which SET forbids: the caller's rights, all names qualified
ORDER BY p.oid::regprocedure::text COLLATE "C";
