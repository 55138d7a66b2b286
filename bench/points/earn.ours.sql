-- points_earn one by one, each committed: posting, balance, lot
-- count: 2000 calls
DO $$
BEGIN
	FOR i IN 1 .. 2000 LOOP
		PERFORM o2o.points_earn((SELECT m.profile_id FROM public.member m WHERE m.n = 1 + i * 7919 % 20000), 25, 'club', 'pos/' || i);
		COMMIT;
	END LOOP;
END $$;
