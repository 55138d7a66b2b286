-- points_earn, a plain posting, to the same members
-- count: 2000 calls
DO $$
BEGIN
	FOR i IN 1 .. 2000 LOOP
		PERFORM o2o.points_earn((SELECT m.profile_id FROM public.member m WHERE m.n = 1001 + i * 7919 % 1000), 25, 'lots', 'pos/' || i);
		COMMIT;
	END LOOP;
END $$;
