-- the double-entry ledger with text ids and numeric amounts, by its own batch function
-- count: 2000 transfers
DO $$
BEGIN
	FOR b IN 0 .. 1 LOOP
		PERFORM ledger.transfers_create(array_fill('acc_issuer'::text, ARRAY[1000]), (SELECT array_agg('acc_' || md5((1 + (i + b * 1000) * 7919 % 20000)::text)) FROM generate_series(1, 1000) AS i),
			array_fill(25::numeric, ARRAY[1000]), (SELECT array_agg(jsonb_build_object('reference', 'pos/' || i)) FROM generate_series(1, 1000) AS i));
		COMMIT;
	END LOOP;
END $$;
