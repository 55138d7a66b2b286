-- points_earn by card number with an idempotency key, each committed
-- count: 2000 calls
DO $$
DECLARE
	run bigint := nextval('public.run');
BEGIN
	FOR i IN 1 .. 2000 LOOP
		PERFORM o2o.points_earn(('card:c' || 1 + i * 7919 % 20000)::o2o.identifier, 25, 'club', 'pos/' || i, idempotency_key => run || '/' || i);
		COMMIT;
	END LOOP;
END $$;
