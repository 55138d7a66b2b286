-- PUBLIC may execute no function of the model, and no volatile one of the
-- extension, but those listed here with the reason why that is harmless.
WITH harmless(function, reason) AS
(
	VALUES
	('o2o.setup(name,boolean)', 'acts with the rights of its caller, who needs CREATE on the schema'),
	('o2o.identity_resolve(o2o.identifier[],text,text,timestamp with time zone)', 'acts on the model with the rights of its caller'),
	('o2o.identity_observe(jsonb,text,text,timestamp with time zone)', 'acts on the model with the rights of its caller'),
	('o2o.evidence_record(bigint[],text,text,text,text,text,timestamp with time zone)', 'acts on the model with the rights of its caller'),
	('o2o.profiles_conflict(bigint[],bigint[])', 'reads the model with the rights of its caller'),
	('o2o.kinds_conflict(text[],text[])', 'reads the model with the rights of its caller'),
	('o2o.customer_lock_roots(bigint[])', 'acts on the model with the rights of its caller'),
	('o2o.health()', 'acts with the rights of its caller'),
	('o2o.writer_horizon()', 'tells one time, and of nobody whose it is'),
	('o2o.request_claim(text,text,jsonb)', 'acts with the rights of its caller, who needs those on table request'),
	('o2o.request_finish(uuid,jsonb)', 'the same'),
	('o2o.points_write(bigint[],bigint[],bigint[],bigint[],text[],timestamp with time zone[],date[],text[],o2o.points[],uuid[],bigint[],bigint[],text[],text[],timestamp with time zone[],bigint[])', 'acts with the rights of its caller, who needs those on the ledger''s tables'),
	('o2o.points_post(bigint,bigint,bigint,bigint,text,timestamp with time zone[],date[],text[],o2o.points[],uuid,bigint,bigint,text,text,timestamp with time zone,bigint)', 'the same'),
	('o2o.points_execute(text[],bigint[],bigint[],text[],o2o.points[],uuid[],text[],text[],timestamp with time zone[])', 'the same'),
	('o2o.points_post_one(text,o2o.identifier,bigint,o2o.identifier,bigint,o2o.points,text,text,text,text,timestamp with time zone,text,timestamp with time zone)', 'the same'),
	('o2o.points_verify_pass(refcursor,refcursor,bigint,boolean,text)', 'reads cursors that its caller has opened')
)
SELECT 'PUBLIC may execute', p.oid::regprocedure
FROM pg_proc p, aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a
WHERE p.pronamespace = 'o2o'::regnamespace
AND a.grantee = 0 AND a.privilege_type = 'EXECUTE'
AND (p.provolatile = 'v'
	OR NOT EXISTS (SELECT FROM pg_depend d
		WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e'))
AND p.oid::regprocedure::text NOT IN (SELECT function FROM harmless)
ORDER BY p.oid::regprocedure::text COLLATE "C";
