-- by a customer of 1 profile
-- count: 1000 calls
DO $$
BEGIN
	FOR i IN 1 .. 1000 LOOP
		PERFORM o2o.points_burn((SELECT m.profile_id FROM public.many m WHERE m.size = 1 AND m.n = 1 + i % 200), 1, 'lots', 'pos/' || i);
		COMMIT;
	END LOOP;
END $$;
