-- the same, 1,000 earns of 1,000 members a call, each call committed
-- count: 10000 transfers
DO $$
BEGIN
	FOR i IN 0 .. 9 LOOP
		PERFORM o2o.points_post_many(array_fill('earn'::text, ARRAY[1000]), (SELECT p.members FROM public.batch p WHERE p.b = i),
			array_fill('25'::o2o.points, ARRAY[1000]), array_fill('club'::text, ARRAY[1000]));
		COMMIT;
	END LOOP;
END $$;
