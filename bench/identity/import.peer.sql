-- our own identify(), one by one, each committed
-- count: 2000 events
DO $$
DECLARE
	run bigint := nextval('public.run');
BEGIN
	FOR i IN 0 .. 1999 LOOP
		PERFORM o2o.identify(public.event_identifiers(run, i), 'crm', event_id => run || '/' || i);
		COMMIT;
	END LOOP;
END $$;
