-- a double-entry ledger with text ids and numeric amounts, written for this bench
-- count: 2000 calls
DO $$
BEGIN
	FOR i IN 1 .. 2000 LOOP
		PERFORM ledger.transfer_create('acc_issuer', 'acc_' || md5((1 + i * 7919 % 20000)::text), 25, jsonb_build_object('reference', 'pos/' || i));
		COMMIT;
	END LOOP;
END $$;
