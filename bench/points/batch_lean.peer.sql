-- a leaner double-entry ledger in SQL, by its own batch function
-- count: 2000 transfers
DO $$
BEGIN
	FOR i IN 0 .. 1 LOOP
		PERFORM ledger.transfers_create(array_fill('acc_issuer'::text, ARRAY[1000]), (SELECT p.accounts FROM public.batch p WHERE p.b = i),
			array_fill(25::numeric, ARRAY[1000]), (SELECT p.details FROM public.batch p WHERE p.b = i));
		COMMIT;
	END LOOP;
END $$;
