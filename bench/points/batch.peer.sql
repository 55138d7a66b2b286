-- a likeness of published double-entry ledgers in SQL: time-ordered text ids, numeric amounts, foreign keys, by its own batch function
-- count: 2000 transfers
DO $$
BEGIN
	FOR i IN 0 .. 1 LOOP
		PERFORM journal.transfers_create((SELECT p.wishes FROM public.batch p WHERE p.b = i), NULL, '{"reference": "pos/1"}');
		COMMIT;
	END LOOP;
END $$;
