-- No function of schema o2o runs with the rights of a superuser.
SELECT 'security definer of a superuser', p.oid::regprocedure, r.rolname
FROM pg_proc p JOIN pg_roles r ON r.oid = p.proowner
WHERE p.pronamespace = 'o2o'::regnamespace AND p.prosecdef AND r.rolsuper
ORDER BY p.oid::regprocedure::text COLLATE "C";
