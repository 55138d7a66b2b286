-- points_burn from members with 36 open lots, one or two of which each burn takes
-- count: 2000 calls
DO $$
BEGIN
	FOR i IN 1 .. 2000 LOOP
		PERFORM o2o.points_burn((SELECT m.profile_id FROM public.member m WHERE m.n = 1001 + i * 7919 % 1000), 300, 'lots', 'pos/' || i);
		COMMIT;
	END LOOP;
END $$;
