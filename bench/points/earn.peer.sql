-- a likeness of published double-entry ledgers in SQL: time-ordered text ids, numeric amounts, foreign keys
-- count: 2000 calls
DO $$
BEGIN
	FOR i IN 1 .. 2000 LOOP
		PERFORM journal.transfer_create('acct_issuer', 'acct_' || md5((1 + i * 7919 % 20000)::text), 25, NULL, jsonb_build_object('reference', 'pos/' || i));
		COMMIT;
	END LOOP;
END $$;
