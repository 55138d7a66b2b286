-- PUBLIC has no right on any table, view or sequence of schema o2o.
SELECT 'PUBLIC may ' || a.privilege_type, c.oid::regclass
FROM pg_class c, aclexplode(c.relacl) a
WHERE c.relnamespace = 'o2o'::regnamespace AND a.grantee = 0
ORDER BY c.oid::regclass::text COLLATE "C", a.privilege_type;
