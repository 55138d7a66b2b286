-- identity_import() of 50,000 events of 25,000 new people, staging included
-- count: 50000 events
-- repeats: 3
DO $$
DECLARE
	run bigint := nextval('public.run');
BEGIN
	INSERT INTO o2o.import_identity (batch_id, source, event_id, occurred_at, identifiers)
	SELECT run, 'crm', run || '/' || n, now(), public.event_identifiers(run, n) FROM generate_series(0, 49999::bigint) AS n;
	PERFORM o2o.identity_import(run);
END $$;
