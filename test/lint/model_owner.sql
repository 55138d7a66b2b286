-- After setup() nothing of the model belongs to a superuser.
SELECT 'owned by a superuser', pg_describe_object(classid, objid, 0)
FROM
(
	SELECT 'pg_class'::regclass AS classid, oid AS objid, relowner AS owner
	FROM pg_class WHERE relnamespace = 'o2o'::regnamespace
	UNION ALL
	SELECT 'pg_proc'::regclass, oid, proowner FROM pg_proc WHERE pronamespace = 'o2o'::regnamespace
) object
JOIN pg_roles r ON r.oid = owner AND r.rolsuper
WHERE NOT EXISTS (SELECT FROM pg_depend d
	WHERE d.classid = object.classid AND d.objid = object.objid AND d.deptype IN ('e', 'i'))
ORDER BY 2;
